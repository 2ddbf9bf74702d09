import { INIT } from "../../mount/fuse/abi.ts";
import type { Wanted } from "../../mount/fuse/handshake.ts";
import type { Handler, LazySignal, Reply, Request } from "../../mount/fuse/messages.ts";
import { Session } from "../../mount/fuse/session.ts";
import type { LogFields } from "../../cache/platform/log.ts";
import { collectedLog } from "./collected_log.ts";
import { FakeChannel } from "./fake_channel.ts";
import { FakeClock } from "./fake_clock.ts";
import { initMessage } from "./kernel_message.ts";

/** What sessions of tests ask of the kernel. */
export const WANTED: Wanted = {
  readAheadBytes: 1 << 20,
  maxBackground: 64,
  congestionThreshold: 48,
  passthrough: false,
  stackDepth: 1,
  pageBytes: 4096,
};

const ENODEV = 19;

/** A session between a handler and a made-up kernel. */
export class SessionFixture {
  readonly channel = new FakeChannel();
  readonly clock = new FakeClock();
  readonly records: LogFields[];
  /** Operations whose duration was recorded. */
  readonly recorded: string[] = [];
  /** Threads with a SIGKILL pending. */
  readonly killed = new Set<number>();
  readonly session: Session;

  constructor() {
    const { logger, records } = collectedLog();
    this.records = records;
    this.session = new Session(this.channel, {
      clock: this.clock,
      logger,
      recorder: (operation) => () => this.recorded.push(operation),
      isBeingKilled: (pid) => this.killed.has(pid),
      trace: false,
    });
  }

  /** Shakes hands and serves; the result is why the session ended. */
  async serve(handle: (request: Request, signal: LazySignal) => Reply | Promise<Reply>): Promise<{
    readonly ended: Promise<string>;
  }> {
    this.channel.push(initMessage(7, 45, INIT.INIT_EXT));
    await this.session.connect(WANTED);
    const handler: Handler = { handle };
    return { ended: this.session.serve(handler) };
  }

  /** Messages of the log at `level`. */
  logged(level: string): unknown[] {
    return this.records.filter((record) => record["level"] === level)
      .map((record) => record["message"]);
  }

  /** Unmounts and waits for the session to end. */
  async unmount(ended: Promise<string>): Promise<void> {
    this.channel.end(ENODEV);
    await ended;
  }
}
