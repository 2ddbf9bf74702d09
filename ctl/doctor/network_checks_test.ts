import { deepEqual, equal, match } from "node:assert/strict";
import type { Environment } from "../../cache/platform/environment.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fakeHost } from "../../tests/support/fake_host.ts";
import type { Check } from "./check.ts";
import { clockSkew } from "./clock_skew.ts";
import { connection } from "./connection.ts";
import { mtu } from "./mtu.ts";
import { nameResolution } from "./name_resolution.ts";
import type { Network } from "./network.ts";
import { Origin } from "./origin.ts";
import { proxy, proxyFor } from "./proxy.ts";
import { interfaceTo } from "./route.ts";

const URL_OF_STORE = new URL("https://acc.blob.core.windows.net/");

const NETWORK: Network = {
  resolve: () => Promise.resolve(["20.60.1.1"]),
  connect: () => Promise.resolve({ tcpMs: 12, tlsMs: 30 }),
  date: () => Promise.resolve({ dateMs: 10_000, askedMs: 10_400, answeredMs: 10_600 }),
  ownAddresses: () => new Set(["10.0.0.4"]),
};

function originOf(network: Partial<Network>, through: string | null = null): Origin {
  return new Origin(URL_OF_STORE, through, { ...NETWORK, ...network });
}

function envOf(variables: Readonly<Record<string, string>>): Environment {
  return { get: (name) => variables[name] };
}

async function run(check: Check) {
  return await check.run(new AbortController().signal);
}

Deno.test("proxyFor follows the variables, and shows no password", () => {
  equal(proxyFor(URL_OF_STORE, envOf({})), null);
  equal(proxyFor(URL_OF_STORE, envOf({ HTTP_PROXY: "http://p:3128" })), null);
  equal(
    proxyFor(URL_OF_STORE, envOf({ https_proxy: "http://u:s3cret@p:3128" })),
    "http://***@p:3128",
  );
  equal(proxyFor(URL_OF_STORE, envOf({ ALL_PROXY: "u:s3cret@p:1" })), "***@p:1");
  const except = (list: string) =>
    proxyFor(URL_OF_STORE, envOf({ HTTPS_PROXY: "http://p", NO_PROXY: list }));
  equal(except("localhost, .windows.net"), null);
  equal(except("*.core.windows.net"), null);
  equal(except("acc.blob.core.windows.net"), null);
  equal(except("*"), null);
  equal(except("dows.net,other"), "http://p");
});

Deno.test("the check of the proxy warns of one in the way, of identities above all", async () => {
  equal((await run(proxy([originOf({})], true, envOf({})))).state, "ok");
  const proxied = await run(proxy([originOf({}, "http://p")], false, envOf({})));
  equal(proxied.detail, "requests go to acc.blob.core.windows.net through http://p");
  const identity = await run(proxy([originOf({})], true, envOf({ HTTP_PROXY: "http://p" })));
  equal(identity.remedy, "Add 169.254.169.254 to NO_PROXY");
});

Deno.test("checks of the straight way are left out where a proxy is on it", async () => {
  const origin = originOf({}, "http://p");
  for (
    const check of [
      nameResolution(origin, new FakeClock()),
      connection(origin),
      mtu(origin, fakeHost({})),
    ]
  ) deepEqual((await run(check)).state, "skipped");
});

Deno.test("the check of a name shows its addresses, or why there are none", async () => {
  const found = await run(nameResolution(originOf({}), new FakeClock()));
  equal(found.detail, "is 20.60.1.1, in 0ms");
  const unknown = originOf({ resolve: () => Promise.reject(new Error("getaddrinfo ENOTFOUND")) });
  const finding = await run(nameResolution(unknown, new FakeClock()));
  equal(finding.state, "fail");
  match(`${finding.detail} ${finding.remedy}`, /ENOTFOUND.*account and endpoint/);
});

Deno.test("the check of a connection says how long it took, or what to do", async () => {
  equal((await run(connection(originOf({})))).detail, "TCP in 12ms, TLS in 30ms");
  const slow = originOf({ connect: () => Promise.resolve({ tcpMs: 900, tlsMs: 900 }) });
  equal((await run(connection(slow))).state, "warn");
  const remedyAfter = async (reason: string) =>
    (await run(connection(originOf({ connect: () => Promise.reject(new Error(reason)) })))).remedy;
  match(await remedyAfter("invalid peer certificate: UnknownIssuer") ?? "", /in DENO_CERT/);
  match(await remedyAfter("Connection refused (os error 111)") ?? "", /service runs/);
  match(await remedyAfter("received corrupt message of type InvalidContentType") ?? "", /http:/);
});

Deno.test("the check of the clock allows for the way and the resolution of a date", async () => {
  const at = (dateMs: number) =>
    originOf({ date: () => Promise.resolve({ dateMs, askedMs: 1e6, answeredMs: 1e6 + 200 }) });
  equal((await run(clockSkew(at(1e6)))).detail, "the same, as far as a second tells");
  const slow = await run(clockSkew(at(1e6 + 60_000)));
  deepEqual([slow.state, slow.detail], ["warn", "this machine is 1m behind"]);
  const fast = await run(clockSkew(at(1e6 - 600_000)));
  deepEqual([fast.state, fast.detail], ["fail", "this machine is 10m ahead: requests are refused"]);
  equal((await run(clockSkew(at(1e6 + 600_000)))).state, "fail");
  equal((await run(clockSkew(originOf({ date: () => Promise.resolve(null) })))).state, "skipped");
  const dead = originOf({ date: () => Promise.reject(new Error("no answer")) });
  equal((await run(clockSkew(dead))).state, "skipped");
  equal(await dead.skewMs(new AbortController().signal), null);
});

Deno.test("Origin asks for a date once, whoever wants it", async () => {
  let asked = 0;
  const origin = originOf({
    date: () => {
      asked += 1;
      return Promise.resolve({ dateMs: 0, askedMs: 0, answeredMs: 0 });
    },
  });
  await run(clockSkew(origin));
  await origin.skewMs(new AbortController().signal);
  equal(asked, 1);
});

const ROUTES_V4 =
  `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
wg0\t00000000\t0100000A\t0003\t0\t0\t50\t00000000\t0\t0\t0
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
down\t00003C14\t00000000\t0000\t0\t0\t0\t0000FFFF\t0\t0\t0
`;
const ROUTES_V6 = `20010db8000000000000000000000000 20 ${"0".repeat(32)} 00 ${
  "0".repeat(32)
} 00000400 00000001 00000000 00000001     eth1
${"0".repeat(32)} 00 ${
  "0".repeat(32)
} 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
${"0".repeat(32)} 00 ${"0".repeat(32)} 00 ${
  "0".repeat(32)
} ffffffff 00000001 00000000 00200200       lo
`;

Deno.test("interfaceTo follows the longest prefix, then the lowest metric", () => {
  const facts = { ipv4: ROUTES_V4, ipv6: ROUTES_V6, own: new Set(["10.0.0.4", "fd00::4"]) };
  equal(interfaceTo("10.0.0.9", facts), "eth0");
  equal(interfaceTo("20.60.1.1", facts), "wg0");
  equal(interfaceTo("10.0.0.4", facts), "lo");
  equal(interfaceTo("127.0.1.1", facts), "lo");
  equal(interfaceTo("2001:db8::7", facts), "eth1");
  equal(interfaceTo("2603:1030::1", facts), "eth0");
  equal(interfaceTo("::1", facts), "lo");
  equal(interfaceTo("20.60.1.1", { ...facts, ipv4: "" }), null);
});

Deno.test("the check of the MTU reads that of the interface on the way", async () => {
  const at = (bytes: string) =>
    mtu(originOf({}), fakeHost({ "/proc/net/route": ROUTES_V4, "/sys/class/net/wg0/mtu": bytes }));
  equal((await run(at("1500\n"))).detail, "1500 bytes by wg0");
  equal((await run(at("1280\n"))).state, "warn");
  match((await run(at("9000\n"))).detail, /jumbo/);
  equal((await run(mtu(originOf({}), fakeHost({})))).state, "skipped");
});
