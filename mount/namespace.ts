/**
 * Where backends appear below the mount point: a tree of mount paths, in which the longest prefix
 * of a path decides its backend. Pure.
 */

/** One directory that exists because a backend is mounted at it or below it. */
export interface NamespaceNode<V> {
  /** The backend mounted here, or null for a directory on the way to one. */
  readonly volume: V | null;
  /** Mounted deeper, by next path segment; these hide what the volume holds under that name. */
  readonly children: ReadonlyMap<string, NamespaceNode<V>>;
}

interface Growing<V> {
  volume: V | null;
  readonly children: Map<string, Growing<V>>;
}

/** The tree of `volumes`; a `mountPath` of `""` is the mount point itself, paths are distinct. */
export function buildNamespace<V extends { readonly mountPath: string }>(
  volumes: readonly V[],
): NamespaceNode<V> {
  const root: Growing<V> = { volume: null, children: new Map() };
  for (const volume of volumes) {
    let node = root;
    for (const segment of volume.mountPath.split("/").filter((part) => part !== "")) {
      let child = node.children.get(segment);
      if (child === undefined) {
        child = { volume: null, children: new Map() };
        node.children.set(segment, child);
      }
      node = child;
    }
    node.volume = volume;
  }
  return root;
}
