/** A cluster of one node with a real Slurm, where an agent is installed and its scripts are. */
import { REPOSITORY } from "../../infra/tools/source_tree.ts";
import type { BootedSystem } from "./booted_system.ts";
import type { CommandResult } from "./command.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free_port.ts";

/** Whose jobs these are: a user without rights. */
export const USER = "ada";
const USER_ID = 4711;
/** Where the job's own output goes. */
const OUTPUT = "/srv/out";
const SETTINGS = "/etc/warpdrive/slurm.conf";

/** Copies of what an operator installs, by where it goes. */
const INSTALLED = {
  "/etc/slurm/prolog.d/50-warpdrive.sh": "warpdrive-prolog.sh",
  "/etc/slurm/epilog.d/50-warpdrive.sh": "warpdrive-epilog.sh",
  "/etc/slurm/job_submit.lua": "job_submit.lua",
  "/usr/local/lib/warpdrive/slurm_settings.sh": "slurm_settings.sh",
};

/** A job that was submitted. */
export interface Job {
  readonly id: string;
}

/** How a job came out. */
export interface EndedJob extends Job {
  readonly state: string;
  readonly output: string;
}

/** The node with its controller; they end with the system they run in. */
export class SlurmNode {
  readonly system: BootedSystem;

  private constructor(system: BootedSystem) {
    this.system = system;
  }

  /** Puts the scripts and a user into the root file system of a system that is not booted yet. */
  static async install(root: string): Promise<void> {
    for (const [path, name] of Object.entries(INSTALLED)) {
      await Deno.mkdir(`${root}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.copyFile(`${REPOSITORY}/infra/slurm/${name}`, `${root}${path}`);
    }
    const passwd = `${USER}:x:${USER_ID}:${USER_ID}::/:/bin/sh\n`;
    await Deno.writeTextFile(`${root}/etc/passwd`, passwd, { append: true });
    await Deno.writeTextFile(`${root}/etc/group`, `${USER}:x:${USER_ID}:\n`, { append: true });
    await Deno.mkdir(`${root}${OUTPUT}`, { recursive: true });
    await Deno.chmod(`${root}${OUTPUT}`, 0o777);
  }

  /** Starts Slurm; the node is idle when this returns. */
  static async start(system: BootedSystem): Promise<SlurmNode> {
    const host = (await system.succeed("hostname")).trim();
    await Deno.writeTextFile(`${system.root}/etc/slurm/slurm.conf`, slurmConf(host));
    await system.succeed("systemctl", "start", "munge", "slurmctld", "slurmd");
    const node = new SlurmNode(system);
    await eventually("the node is idle", async () => (await node.state()) === "idle");
    return node;
  }

  /** Writes the settings of the scripts. */
  async settings(settings: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await Deno.writeTextFile(`${this.system.root}${SETTINGS}`, lines.join(""));
  }

  /** What Slurm says of the node: `idle`, `drained`, … */
  async state(): Promise<string> {
    const { stdout } = await this.system.run("sinfo", "--noheader", "--format=%T");
    return stdout.trim();
  }

  /** Submits `script` as the user; `variables` is the environment it is submitted from. */
  async submit(
    script: string,
    args: readonly string[],
    variables: readonly string[] = [],
  ): Promise<Job> {
    const { code, stdout, stderr } = await this.trySubmit(script, args, variables);
    if (code !== 0) throw new Error(`Cannot submit a job: ${stderr}`);
    return { id: stdout.trim() };
  }

  /** The same where Slurm may refuse. */
  trySubmit(
    script: string,
    args: readonly string[],
    variables: readonly string[] = [],
  ): Promise<CommandResult> {
    return this.system.run(
      ...["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--init-groups", "--"],
      ...["env", ...variables],
      ...["sbatch", "--parsable", "--chdir=/", `--output=${OUTPUT}/%j`, ...args],
      ...["--wrap", script],
    );
  }

  /** Waits for the end of a job and of its epilog. */
  async ended({ id }: Job): Promise<EndedJob> {
    const state = await eventually(`job ${id} has ended`, async () => {
      const text = await this.show(id);
      // A job is COMPLETING until its epilog is done.
      return /JobState=(COMPLETED|FAILED|CANCELLED|TIMEOUT) /.exec(text)?.[1] ?? null;
    });
    await eventually("the node is free", async () => (await this.state()) === "idle");
    return { id, state, output: await this.output(id) };
  }

  /** Submits a job and waits for its end. */
  async runJob(
    script: string,
    args: readonly string[],
    variables: readonly string[] = [],
  ): Promise<EndedJob> {
    return await this.ended(await this.submit(script, args, variables));
  }

  /** Waits until a job could not be launched: it is held, and its node is drained. */
  async drained({ id }: Job): Promise<void> {
    await eventually("the node is drained", async () => (await this.state()) === "drained");
    await this.system.succeed("scancel", id);
    await this.system.succeed("scontrol", "update", "nodename=node1", "state=resume");
    await eventually("the node is back", async () => (await this.state()) === "idle");
  }

  /** What Slurm says of job `id`. */
  async show(id: string): Promise<string> {
    return await this.system.succeed("scontrol", "show", "job", id);
  }

  /** What job `id` wrote. */
  async output(id: string): Promise<string> {
    return await Deno.readTextFile(`${this.system.root}${OUTPUT}/${id}`).catch(() => "");
  }

  /** What the scripts logged under `tag` of job `id`. */
  async log(tag: string, id: string): Promise<string> {
    const words = ["--quiet", "--no-pager", "--output=cat", `--identifier=${tag}`];
    const lines = (await this.system.succeed("journalctl", ...words)).split("\n");
    return lines.filter((line) => line.startsWith(`job ${id}: `)).join("\n");
  }
}

function slurmConf(host: string): string {
  return [
    "ClusterName=test",
    `SlurmctldHost=${host}(127.0.0.1)`,
    `SlurmctldPort=${freePort()}`,
    `SlurmdPort=${freePort()}`,
    "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny",
    "SlurmUser=root",
    "AuthType=auth/munge",
    "StateSaveLocation=/var/spool/slurmctld",
    "SlurmdSpoolDir=/var/spool/slurmd",
    "SlurmctldPidFile=/run/slurmctld.pid",
    "SlurmdPidFile=/run/slurmd.pid",
    "ProctrackType=proctrack/linuxproc",
    "TaskPlugin=task/none",
    "JobAcctGatherType=jobacct_gather/none",
    "SchedulerParameters=sched_min_interval=10000,batch_sched_delay=0",
    "SelectType=select/cons_tres",
    "SelectTypeParameters=CR_Core",
    "ReturnToService=2",
    "MpiDefault=none",
    "PrologFlags=Alloc",
    "Prolog=/etc/slurm/prolog.d/*",
    "Epilog=/etc/slurm/epilog.d/*",
    "JobSubmitPlugins=lua",
    `NodeName=node1 NodeHostname=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=512 State=UNKNOWN`,
    "PartitionName=main Nodes=node1 Default=YES MaxTime=INFINITE State=UP",
    "",
  ].join("\n");
}
