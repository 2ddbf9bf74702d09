/** What a suite needs of the machine, and what to do when it is not there. */

/** A capability of the machine. */
export type Need = "ansible" | "fuse" | "go" | "shellcheck" | "slurm" | "systemd" | "webgpu";

/** What the checks look at. */
export interface Machine {
  readonly uid: number | null;
  /** Whether `path` can be opened for reading and writing. */
  opens(path: string): boolean;
  /** Whether `program` is on PATH. */
  hasProgram(program: string): boolean;
  /** Whether WebGPU finds a driver, of a GPU or in software. */
  hasAdapter(): boolean;
}

/** What is missing for `need` and how to get it; null when nothing is. */
export function missing(need: Need, machine: Machine): string | null {
  switch (need) {
    case "fuse": {
      if (!machine.opens("/dev/fuse")) {
        return "/dev/fuse cannot be opened: load the kernel module with `modprobe fuse`, or in a " +
          "container start it with `--device /dev/fuse --cap-add SYS_ADMIN`";
      }
      if (machine.uid !== 0 && !machine.hasProgram("fusermount3")) {
        return "fusermount3 is not installed and this is not root: install the package fuse3";
      }
      return null;
    }
    case "go": {
      if (machine.hasProgram("go")) return null;
      return "go is not installed, which builds servers for the tests: install Go, " +
        "1.21 or later, which fetches the version it needs";
    }
    case "systemd": {
      if (machine.uid !== 0) return "systemd is booted in a container, as root: run it as root";
      if (machine.hasProgram("systemd-nspawn")) return null;
      return "systemd-nspawn is not installed, which boots a systemd for the tests: install the " +
        "package systemd-container";
    }
    case "slurm":
      return lacks(machine, ["slurmctld", "slurmd", "munged"], "packages slurm-wlm and munge");
    case "ansible":
      return lacks(
        machine,
        ["ansible-playbook", "sshd", "ssh"],
        "packages ansible-core, openssh-server and openssh-client",
      );
    case "shellcheck":
      return lacks(machine, ["shellcheck"], "package shellcheck");
    case "webgpu": {
      if (machine.hasAdapter()) return null;
      return "WebGPU has no adapter here: install the package mesa-vulkan-drivers, whose Vulkan " +
        "driver computes on the CPU";
    }
  }
}

/** What is missing of `programs`, all of which `packages` bring; null when nothing is. */
function lacks(machine: Machine, programs: readonly string[], packages: string): string | null {
  const gone = programs.filter((program) => !machine.hasProgram(program));
  return gone.length === 0 ? null : `${gone.join(", ")} not installed: install the ${packages}`;
}

/** This machine. */
export const thisMachine: Machine = {
  uid: Deno.uid(),
  opens(path) {
    try {
      Deno.openSync(path, { read: true, write: true }).close();
      return true;
    } catch {
      // Whatever the reason, the suite cannot use it; the message above names the remedies.
      return false;
    }
  },
  hasProgram(program) {
    const directories = (Deno.env.get("PATH") ?? "").split(":");
    return directories.some((directory) => {
      try {
        return Deno.statSync(`${directory}/${program}`).isFile;
      } catch {
        return false;
      }
    });
  },
  hasAdapter() {
    // Another process: only there is the answer waited for, and drivers say what they like.
    const asking = "Deno.exit(await navigator.gpu.requestAdapter() === null ? 1 : 0)";
    return new Deno.Command(Deno.execPath(), {
      args: ["eval", asking],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).outputSync().success;
  },
};
