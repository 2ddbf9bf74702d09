/** Whose data are whose: the teams of a configuration, by path and by user. */
import { join } from "node:path/posix";
import { type CachedPlace, cachedPlaces, type PlacedBackend } from "../operations/cached_places.ts";
import type { TeamSettings } from "./teams_config.ts";

/** What paths and users mean on this machine. */
export interface TeamSurroundings {
  readonly mountPoint: string;
  readonly backends: readonly PlacedBackend[];
  /** The id of the user `name`, or null. */
  readonly userId: (name: string) => number | null;
}

/** Teams as the cache knows its objects. */
export interface Teams {
  /** Places of `backend` that belong to a team. */
  pathsOf(backend: string): readonly string[];
  /** The team a place belongs to, exactly; null for one of which no team has said so. */
  ofPath(place: CachedPlace): string | null;
  /** The team of the user. */
  ofUser(uid: number): string | null;
  /** Users of teams that this machine does not know. */
  readonly unknownUsers: readonly string[];
}

/** The teams of `settings`. A user may be given by number, too. */
export function teamsOf(
  settings: readonly TeamSettings[],
  { mountPoint, backends, userId }: TeamSurroundings,
): Teams {
  const byPath = new Map<string, Map<string, string>>();
  const byUser = new Map<number, string>();
  const unknownUsers: string[] = [];
  for (const { name: team, users, paths } of settings) {
    for (const user of users) {
      const uid = /^\d+$/.test(user) ? Number(user) : userId(user);
      if (uid === null) unknownUsers.push(user);
      else byUser.set(uid, byUser.get(uid) ?? team);
    }
    for (const path of paths) {
      const found = cachedPlaces(absolute(path, mountPoint), mountPoint, backends);
      if (found.kind === "unresolved") continue;
      for (const place of found.places) {
        const known = byPath.get(place.backend) ?? new Map<string, string>();
        byPath.set(place.backend, known);
        known.set(place.path, known.get(place.path) ?? team);
      }
    }
  }
  return {
    unknownUsers,
    pathsOf: (backend) => [...byPath.get(backend)?.keys() ?? []],
    ofPath: ({ backend, path }) => byPath.get(backend)?.get(path) ?? null,
    ofUser: (uid) => byUser.get(uid) ?? null,
  };
}

function absolute(path: string, mountPoint: string): string {
  return path === mountPoint || path.startsWith(`${mountPoint}/`) ? path : join(mountPoint, path);
}
