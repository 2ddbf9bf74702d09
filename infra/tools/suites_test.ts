import { deepEqual, equal, match, ok } from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { type Machine, missing } from "./needs.ts";
import { importsOf } from "./lint/measure.ts";
import { readSource, repositoryFiles } from "./source_tree.ts";
import { LONG_SUITE, suiteOf, SUITES, testFilesOf } from "./suites.ts";

Deno.test("suites put each test file in exactly one place", () => {
  equal(suiteOf("cache/platform/units_test.ts")?.name, "gate");
  equal(suiteOf("tests/tidy_test.ts")?.name, "gate");
  equal(suiteOf("tests/azure_conformance_test.ts")?.name, "conformance");
  equal(suiteOf("tests/s3_conformance_test.ts")?.name, "s3");
  equal(suiteOf("tests/gcs_conformance_test.ts")?.name, "gcs");
  equal(suiteOf("tests/doctor_gcs_test.ts")?.name, "gcs");
  equal(suiteOf("tests/build_test.ts")?.name, "binary");
  equal(suiteOf("tests/forge_webgpu_test.ts")?.name, "webgpu");
  equal(suiteOf("tests/systemd_agent_test.ts")?.name, "systemd");
  equal(suiteOf("tests/slurm_test.ts")?.name, "slurm");
  equal(suiteOf("tests/ansible_install_test.ts")?.name, "ansible");
  equal(suiteOf("tests/scripts_cloud_test.ts")?.name, "scripts");
  equal(suiteOf("tests/posix_test.ts")?.name, "mount");
  equal(suiteOf("tests/long/webdataset_test.ts")?.name, "long");
});

Deno.test("suites mount with the program that was built before them", () => {
  for (const name of ["binary", "mount", "systemd"]) {
    const suite = SUITES.find((candidate) => candidate.name === name);
    match(suite?.variables["WARPDRIVE_BIN"] ?? "", /^\/.*\/dist\/warpdrive$/);
    deepEqual(suite?.steps.map(({ title, required }) => [title, required]), [["build", true]]);
  }
});

Deno.test("suites run test files only", () => {
  const files = ["cache/a.ts", "cache/a_test.ts", "tests/support/a.ts", "tests/posix_test.ts"];
  const all = SUITES.flatMap((suite) => testFilesOf(suite, files));
  deepEqual(all, ["cache/a_test.ts", "tests/posix_test.ts"]);
});

Deno.test("the long suite runs again what the others run", () => {
  const files = ["tests/cache_crash_test.ts", "tests/cache_model_test.ts", "tests/posix_test.ts"];
  deepEqual(testFilesOf(LONG_SUITE, files), files.slice(0, 2));
  for (const file of files) ok(suiteOf(file) !== undefined && suiteOf(file) !== LONG_SUITE);
});

/** What each file of the repository imports of the others, by path. */
class Imports {
  readonly #direct = new Map<string, readonly string[]>();

  /** The file at `path`, and all that it stands on. */
  reached(path: string, seen = new Set<string>()): ReadonlySet<string> {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const other of this.#of(path)) this.reached(other, seen);
    return seen;
  }

  #of(path: string): readonly string[] {
    const known = this.#direct.get(path);
    if (known !== undefined) return known;
    const found = [...importsOf(path, readSource(path))]
      .filter((specifier) => /^\..*\.ts$/.test(specifier))
      .map((specifier) => join(dirname(path), specifier));
    this.#direct.set(path, found);
    return found;
  }
}

Deno.test("suites need what the support of their tests needs", () => {
  const wanted = {
    "tests/support/mounted.ts": "fuse",
    "tests/support/go_program.ts": "go",
  } as const;
  const files = repositoryFiles();
  const imports = new Imports();
  const missing = [...SUITES, LONG_SUITE].flatMap((suite) =>
    testFilesOf(suite, files).flatMap((file) => {
      const stands = imports.reached(file);
      return Object.entries(wanted).filter(([support, need]) =>
        stands.has(support) && !suite.needs.includes(need)
      ).map(([, need]) => `${suite.name} needs ${need}: ${file}`);
    })
  );
  deepEqual(missing, []);
});

function machine(facts: Partial<Machine>): Machine {
  const whole = { uid: 0, opens: () => true, hasProgram: () => true, hasAdapter: () => true };
  return { ...whole, ...facts };
}

Deno.test("fuse is missing without the device, and says how to get it", () => {
  match(missing("fuse", machine({ opens: () => false })) ?? "", /modprobe fuse/);
});

Deno.test("fuse needs fusermount3 only where there is no root", () => {
  equal(missing("fuse", machine({ hasProgram: () => false })), null);
  match(missing("fuse", machine({ uid: 1000, hasProgram: () => false })) ?? "", /package fuse3/);
  equal(missing("fuse", machine({ uid: 1000 })), null);
});

Deno.test("go is missing where there is no such program", () => {
  equal(missing("go", machine({})), null);
  match(missing("go", machine({ hasProgram: () => false })) ?? "", /install Go/);
});

Deno.test("webgpu needs a driver, and software will do", () => {
  equal(missing("webgpu", machine({})), null);
  match(missing("webgpu", machine({ hasAdapter: () => false })) ?? "", /mesa-vulkan-drivers/);
});

Deno.test("systemd needs root and the package that boots it", () => {
  equal(missing("systemd", machine({})), null);
  match(missing("systemd", machine({ uid: 1000 })) ?? "", /as root/);
  match(
    missing("systemd", machine({ hasProgram: () => false })) ?? "",
    /package systemd-container/,
  );
});

Deno.test("slurm and ansible name the packages that are missing", () => {
  equal(missing("slurm", machine({})), null);
  const without = (program: string) => machine({ hasProgram: (name) => name !== program });
  match(missing("slurm", without("munged")) ?? "", /munged.*packages slurm-wlm and munge/);
  equal(missing("ansible", machine({})), null);
  match(missing("ansible", without("sshd")) ?? "", /sshd.*packages ansible-core/);
  match(missing("shellcheck", without("shellcheck")) ?? "", /package shellcheck/);
});
