/**
 * Stands in for Azure's command line: checks what it is asked, keeps what was made in a file, and
 * writes down every call. It knows what the scripts of `infra/azure` ask and refuses all else.
 *
 * Run as `az`, with AZ_STAND_IN naming its directory.
 */

/** The directory of a stand-in, in the environment of those who call it. */
export const AZ_STAND_IN = "AZ_STAND_IN";

/** Words of one call. */
export type Call = readonly string[];

/** What there is in this cloud. */
export interface Cloud {
  readonly groups: Record<string, { readonly location: string; readonly project: string }>;
  readonly accounts: Record<string, { readonly location: string; readonly sharedKeys: boolean }>;
  readonly containers: string[];
  readonly machines: Record<string, { readonly size: string; readonly image: string }>;
  readonly rules: Record<string, string>;
  /** `principal role account`. */
  readonly roles: string[];
  /** `account/container/name`. */
  readonly blobs: string[];
}

/** A cloud with nothing in it. */
export function emptyCloud(): Cloud {
  const [groups, accounts, machines, rules] = [{}, {}, {}, {}];
  return { groups, accounts, containers: [], machines, rules, roles: [], blobs: [] };
}

/** A call that the real one would refuse, or that fails as told. */
class Refusal extends Error {}

/** The words of a command, and its options by name. */
class Options {
  readonly command: string;
  readonly #values = new Map<string, string>();

  constructor(call: Call) {
    const first = call.findIndex((word) => word.startsWith("--"));
    this.command = call.slice(0, first === -1 ? call.length : first).join(" ");
    let name: string | null = null;
    for (const word of first === -1 ? [] : call.slice(first)) {
      if (word.startsWith("--")) this.#values.set(name = word, "");
      else if (name !== null) this.#values.set(name, word);
    }
  }

  get names(): readonly string[] {
    return [...this.#values.keys()].sort();
  }

  get(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined || value === "") throw new Refusal(`${name} is required`);
    return value;
  }

  /** The name that a query such as `[?name=='x'].name` looks for, or one for more than the name. */
  queriedName(): string {
    const name = /^\[\?name=='([^']+)'\]\.(?:name|\[name, \w+\])$/.exec(this.get("--query"))?.[1];
    if (name === undefined) throw new Refusal(`no such query here: ${this.get("--query")}`);
    return name;
  }
}

/** A call without its values: the command and the names of its options. */
export function shapeOf(call: Call): string {
  const options = new Options(call);
  return [options.command, ...options.names].join(" ");
}

type Answer = (options: Options, cloud: Cloud) => string | void;

const present = (there: boolean, text: string) => there ? text : "";
/** Deleting a group takes everything along, as there is only one. */
const lists = (cloud: Cloud) => [cloud.containers, cloud.roles, cloud.blobs];
const tables = (cloud: Cloud) => [cloud.accounts, cloud.machines, cloud.rules];

function inGroup(options: Options, cloud: Cloud): void {
  const group = options.get("--resource-group");
  if (cloud.groups[group] === undefined) throw new Refusal(`(ResourceGroupNotFound) ${group}`);
}

function scopeOf(account: string): string {
  return `/subscriptions/s/providers/Microsoft.Storage/storageAccounts/${account}`;
}

function container(options: Options, cloud: Cloud): string {
  if (options.get("--auth-mode") !== "login") throw new Refusal("shared keys are not allowed");
  const account = options.get("--account-name");
  const path = `${account}/${options.get("--container-name")}`;
  if (!cloud.containers.includes(path)) throw new Refusal(`(ContainerNotFound) ${path}`);
  const role = `person Storage Blob Data Contributor ${account}`;
  if (!cloud.roles.includes(role)) throw new Refusal("(AuthorizationPermissionMismatch)");
  return path;
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  "account show": () => "subscription",
  "ad signed-in-user show": () => "person",
  "group exists": (options, { groups }) => String(groups[options.get("--name")] !== undefined),
  "group show": (options, { groups }) => groups[options.get("--name")]?.project ?? "",
  "group create": (options, { groups }) => {
    const project = options.get("--tags").replace("project=", "");
    groups[options.get("--name")] = { location: options.get("--location"), project };
  },
  "group delete": (options, cloud) => {
    delete cloud.groups[options.get("--name")];
    for (const list of lists(cloud)) list.length = 0;
    for (const table of tables(cloud)) for (const name of Object.keys(table)) delete table[name];
  },
  "storage account list": (options, cloud) => {
    inGroup(options, cloud);
    const name = options.queriedName();
    return present(cloud.accounts[name] !== undefined, name);
  },
  "storage account show": (options) => scopeOf(options.get("--name")),
  "storage account create": (options, cloud) => {
    inGroup(options, cloud);
    const name = options.get("--name");
    if (!/^[a-z0-9]{3,24}$/.test(name)) throw new Refusal(`(AccountNameInvalid) ${name}`);
    const sharedKeys = options.get("--allow-shared-key-access") !== "false";
    cloud.accounts[name] = { location: options.get("--location"), sharedKeys };
  },
  "storage container-rm list": (options, cloud) => {
    const name = options.queriedName();
    return present(cloud.containers.includes(`${options.get("--storage-account")}/${name}`), name);
  },
  "storage container-rm create": (options, cloud) => {
    const account = options.get("--storage-account");
    if (cloud.accounts[account] === undefined) throw new Refusal(`(ResourceNotFound) ${account}`);
    cloud.containers.push(`${account}/${options.get("--name")}`);
  },
  "vm list": (options, cloud) => {
    inGroup(options, cloud);
    const name = options.queriedName();
    return present(cloud.machines[name] !== undefined, name);
  },
  "vm create": (options, cloud) => {
    inGroup(options, cloud);
    if (options.get("--assign-identity") !== "[system]") throw new Refusal("without an identity");
    Deno.readTextFileSync(options.get("--ssh-key-values"));
    const machine = { size: options.get("--size"), image: options.get("--image") };
    cloud.machines[options.get("--name")] = machine;
  },
  "vm show": (options, { machines }) => {
    if (machines[options.get("--name")] === undefined) throw new Refusal("(ResourceNotFound)");
    return options.get("--query") === "publicIps" ? "203.0.113.9" : "machine";
  },
  "network nsg rule list": (options, { rules }) => {
    const from = rules[options.get("--nsg-name")];
    return present(from !== undefined, `${options.queriedName()}\t${from}`);
  },
  "network nsg rule create": (options, { rules }) => {
    rules[options.get("--nsg-name")] = options.get("--source-address-prefixes");
  },
  "network nsg rule update": (options, { rules }) => {
    if (rules[options.get("--nsg-name")] === undefined) throw new Refusal("(NotFound)");
    rules[options.get("--nsg-name")] = options.get("--source-address-prefixes");
  },
  "role assignment list": (options, { roles }) =>
    present(roles.includes(roleOf(options, options.get("--assignee"))), "assignment"),
  "role assignment create": (options, { roles }) => {
    roles.push(roleOf(options, options.get("--assignee-object-id")));
  },
  "storage blob list": (options, cloud) => {
    const path = `${container(options, cloud)}/`;
    const names = cloud.blobs.filter((blob) => blob.startsWith(path + options.get("--prefix")));
    return names.map((blob) => blob.slice(path.length)).join("\n");
  },
  "storage blob upload": (options, cloud) => {
    const blob = `${container(options, cloud)}/${options.get("--name")}`;
    if (cloud.blobs.includes(blob)) throw new Refusal("(BlobAlreadyExists)");
    Deno.readFileSync(options.get("--file"));
    cloud.blobs.push(blob);
  },
};

function roleOf(options: Options, principal: string): string {
  const account = options.get("--scope").split("/").at(-1);
  return `${principal} ${options.get("--role")} ${account}`;
}

if (import.meta.main) {
  const directory = Deno.env.get(AZ_STAND_IN) ?? "";
  const call = Deno.args;
  Deno.writeTextFileSync(`${directory}/calls`, `${JSON.stringify(call)}\n`, { append: true });
  const failing = new RegExp(Deno.readTextFileSync(`${directory}/failing`));
  const cloud: Cloud = JSON.parse(Deno.readTextFileSync(`${directory}/cloud`));
  try {
    if (failing.test(call.join(" "))) throw new Refusal("(InternalServerError) as told");
    const options = new Options(call);
    const answer = ANSWERS[options.command];
    if (answer === undefined) throw new Refusal(`'${options.command}' is misspelled`);
    const text = answer(options, cloud) ?? "";
    Deno.writeTextFileSync(`${directory}/cloud`, JSON.stringify(cloud));
    if (text !== "") Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    Deno.stderr.writeSync(new TextEncoder().encode(`ERROR: ${error.message}\n`));
    Deno.exit(1);
  }
}
