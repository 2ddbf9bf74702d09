/** `teams:` of a configuration file: who belongs together, by user and by path. */
import { z } from "zod";
import type { ConfigReader } from "../platform/config_reader.ts";
import { list, section, text } from "../platform/setting.ts";

const MEMBERS_MAX = 100_000;

/** One entry of `teams:`. */
export const TEAM_SECTION = section({
  users: list(text("a user name"), MEMBERS_MAX).prefault([]),
  paths: list(text("a path below the mount point"), MEMBERS_MAX).prefault([]),
});

/** `teams:`. */
export const TEAMS_SECTION = z.record(z.string(), TEAM_SECTION);

/** A team. */
export interface TeamSettings {
  readonly name: string;
  /** Names or numbers. */
  readonly users: readonly string[];
  /** Absolute, or relative to the mount point. */
  readonly paths: readonly string[];
}

/** Reads `teams:`; null when it has problems, which are then reported. */
export function readTeams(reader: ConfigReader): readonly TeamSettings[] | null {
  const written = reader.read(TEAMS_SECTION.prefault({}), ["teams"]);
  if (written === null) return null;
  const teams = Object.entries(written).map(([name, team]) => ({ name, ...team }));
  const [users, paths] = [new Map<string, string>(), new Map<string, string>()];
  for (const team of teams) {
    report(reader, team.name, "users", team.users, users);
    report(reader, team.name, "paths", team.paths.map(withoutSlashes), paths);
  }
  return teams;
}

/** What is of two teams would be counted for one of them, and nobody could say for which. */
function report(
  reader: ConfigReader,
  team: string,
  key: "users" | "paths",
  members: readonly string[],
  known: Map<string, string>,
): void {
  members.forEach((member, position) => {
    const other = known.get(member);
    if (other !== undefined && other !== team) {
      reader.report(["teams", team, key, position], `belongs to team "${other}" already`);
    }
    known.set(member, team);
  });
}

function withoutSlashes(path: string): string {
  return path.split("/").filter((name) => name !== "").join("/");
}
