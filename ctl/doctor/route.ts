/** Which network interface leads to an address, by the kernel's routing tables. Pure. */

/** What decides about the way. */
export interface RoutingFacts {
  /** Text of /proc/net/route. */
  readonly ipv4: string;
  /** Text of /proc/net/ipv6_route. */
  readonly ipv6: string;
  /** Addresses of this machine, which the tables do not list. */
  readonly own: ReadonlySet<string>;
}

interface Route {
  readonly device: string;
  /** Bits of the prefix that has to match. */
  readonly bits: number;
  readonly metric: number;
}

const LOOPBACK = "lo";
const RTF_UP = 0x1;
const RTF_REJECT = 0x200;

/** The interface to `address`; null when no route leads there. */
export function interfaceTo(address: string, facts: RoutingFacts): string | null {
  const isV6 = address.includes(":");
  if (facts.own.has(address) || /^127\./.test(address) || address === "::1") return LOOPBACK;
  const routes = isV6 ? routesV6(address, facts.ipv6) : routesV4(address, facts.ipv4);
  const [best] = routes.toSorted((one, other) =>
    other.bits - one.bits || one.metric - other.metric
  );
  return best?.device ?? null;
}

function routesV4(address: string, table: string): readonly Route[] {
  const wanted = address.split(".").reduce((bits, part) => bits * 256 + Number(part), 0);
  return table.split("\n").slice(1).flatMap((line): Route[] => {
    const [device, destination, , flags, , , metric, mask] = line.split(/\s+/);
    if (device === undefined || destination === undefined || mask === undefined) return [];
    if (!isUsable(flags)) return [];
    const bits = littleEndian(mask);
    if (((wanted & bits) >>> 0) !== littleEndian(destination)) return [];
    return [{ device, bits: bitsOf(bits), metric: Number(metric) }];
  });
}

function routesV6(address: string, table: string): readonly Route[] {
  const wanted = expandV6(address);
  return table.split("\n").flatMap((line): Route[] => {
    const [destination, length, , , , metric, , , flags, device] = line.trim().split(/\s+/);
    if (destination === undefined || length === undefined || device === undefined) return [];
    const bits = parseInt(length, 16);
    if (!isUsable(flags) || !samePrefix(destination, wanted, bits)) return [];
    return [{ device, bits, metric: parseInt(metric ?? "", 16) }];
  });
}

function isUsable(flags: string | undefined): boolean {
  const value = parseInt(flags ?? "0", 16);
  return (value & RTF_UP) !== 0 && (value & RTF_REJECT) === 0;
}

/** An address of the IPv4 table: hexadecimal digits in the order of a little-endian machine. */
function littleEndian(digits: string): number {
  const bytes = digits.match(/../g) ?? [];
  return bytes.reduceRight((bits, byte) => bits * 256 + parseInt(byte, 16), 0);
}

function bitsOf(mask: number): number {
  return mask.toString(2).replaceAll("0", "").length;
}

/** `2001:db8::1` as 32 hexadecimal digits. */
function expandV6(address: string): string {
  const [head = "", tail = ""] = address.replace(/%.*$/, "").split("::");
  const left = groups(head);
  const right = groups(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0000");
  return [...left, ...zeros, ...right].join("");
}

function groups(text: string): readonly string[] {
  return text === "" ? [] : text.split(":").map((group) => group.padStart(4, "0").toLowerCase());
}

function samePrefix(one: string, other: string, bits: number): boolean {
  return binary(one).slice(0, bits) === binary(other).slice(0, bits);
}

function binary(hexadecimal: string): string {
  return Array.from(hexadecimal, (digit) => parseInt(digit, 16).toString(2).padStart(4, "0")).join(
    "",
  );
}
