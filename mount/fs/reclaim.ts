/**
 * Keeps the node table near its limit. Only the kernel can free a node, by forgetting it; under
 * memory pressure it does so by itself, but a `find` over millions of files comes first.
 */
import { TaskGroup } from "../../cache/platform/limit.ts";
import type { Notification } from "../fuse/messages.ts";
import type { Node, NodeTable } from "./nodes.ts";

/** Nodes asked for at a time; the kernel frees those that are idle. */
const BATCH_NODES = 1_024;

/** Makes the kernel forget idle nodes. */
export class Reclaimer {
  readonly #nodes: NodeTable;
  readonly #nodesMax: number;
  readonly #prunes: boolean;
  readonly #notify: (notification: Notification) => Promise<boolean>;
  /** Failing is harmless: the next check tries again. */
  readonly #reclaiming = new TaskGroup(() => undefined);
  #state: "idle" | "reclaiming" = "idle";

  constructor(
    nodes: NodeTable,
    nodesMax: number,
    prunes: boolean,
    notify: (notification: Notification) => Promise<boolean>,
  ) {
    this.#nodes = nodes;
    this.#nodesMax = nodesMax;
    this.#prunes = prunes;
    this.#notify = notify;
  }

  /** Starts reclaiming when the table is over its limit and nobody is at it already. */
  check(): void {
    if (this.#nodes.size <= this.#nodesMax || this.#state === "reclaiming") return;
    this.#state = "reclaiming";
    this.#reclaiming.add(
      this.#reclaim().finally(() => {
        this.#state = "idle";
      }),
    );
  }

  async #reclaim(): Promise<void> {
    const idle = this.#nodes.takeOldestIdle(BATCH_NODES);
    if (this.#prunes) {
      await this.#notify({ kind: "prune", nodes: idle.map(({ id }) => id) });
      return;
    }
    for (const node of idle) await this.#forgetEntry(node);
  }

  async #forgetEntry(node: Node): Promise<void> {
    if (node.parent === null) return;
    const { id } = node.parent;
    // A name the kernel no longer has answers with ENOENT, which is as good.
    await this.#notify({ kind: "forget_entry", parent: id, name: node.name });
  }
}
