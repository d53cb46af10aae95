// One relay worker as the control process sees it: its program started, commands sent, reports received, its end noticed.
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { errorMessage } from '../../core/errors.ts';
import { epoll } from '../../ffi/index.ts';
import { type Batch, BatchDecoder } from './batch.ts';
import { Handing, handingPair } from './handing.ts';
import { type Command, Decoder, encode, protocolVersion, type Report } from './protocol.ts';

export interface WorkerEvents {
  /** It has everything loaded, and waits for its first command. */
  ready(): void;
  report(report: Report): void;
  /** Records for a sink. */
  batch(batch: Batch): void;
  /** Called once; nothing is reported any more. */
  gone(reason: string): void;
  /** What it prints where it should print nothing: the trace of a crash. */
  said(text: string): void;
}

/** Commands that wait for a worker which does not read them: it hangs, and is replaced. */
const mostUnsent = 16 * 1024 * 1024;
/** Milliseconds to end by itself. */
const endWithin = 2000;

export class WorkerProcess {
  private readonly child: ChildProcess;
  private readonly handing: Handing;
  private readonly input: Writable;
  private complaint: string | null = null;
  private loaded = false;

  /** `command` runs the worker's program; `counts` is the descriptor of the memory that all share. */
  constructor(command: readonly string[], counts: number, events: WorkerEvents) {
    const [ours, theirs] = handingPair();
    this.handing = new Handing(ours);
    this.child = spawn(command[0]!, command.slice(1), {
      cwd: '/',
      env: {},
      stdio: ['pipe', 'pipe', 'pipe', theirs, counts, 'pipe'],
    });
    epoll.close(theirs);
    this.input = this.child.stdin!;
    this.input.on('error', () => {});
    this.listen(events);
  }

  /** It has everything loaded. */
  get isReady(): boolean {
    return this.loaded;
  }

  /** Null where it could not be started. */
  get pid(): number | null {
    return this.child.pid ?? null;
  }

  /** `descriptors` are what the command speaks of; they stay open here. */
  send(command: Command, descriptors: number[] = []): void {
    for (const fd of descriptors) {
      if (!this.handing.send(fd)) this.kill('it does not take descriptors');
    }
    this.input.write(encode(command));
    if (this.input.writableLength > mostUnsent) this.kill('it does not read its commands');
  }

  /** Lets it end: it sees that nobody needs it any more. */
  end(): void {
    this.input.end();
    const timer = setTimeout(() => this.kill('it did not end'), endWithin).unref();
    this.child.once('exit', () => clearTimeout(timer));
  }

  kill(why: string): void {
    this.complaint ??= why;
    this.child.kill('SIGKILL');
  }

  private begin(ready: () => void): void {
    this.loaded = true;
    ready();
  }

  private listen({ ready, report, batch, gone, said }: WorkerEvents): void {
    const { child } = this;
    const decoder = new Decoder<Report>();
    child.stdout!.on('data', (bytes: Buffer) => {
      try {
        for (const message of decoder.push(bytes)) {
          if (message.is !== 'ready') report(message);
          else if (message.version === protocolVersion) this.begin(ready);
          else throw new Error(`it speaks version ${message.version}`);
        }
      } catch (error) {
        this.kill(errorMessage(error));
      }
    });
    const batches = new BatchDecoder();
    const records = (child.stdio as unknown[])[5] as Readable;
    records.on('error', () => {});
    records.on('data', (bytes: Buffer) => {
      try {
        for (const each of batches.push(bytes)) batch(each);
      } catch (error) {
        this.kill(errorMessage(error));
      }
    });
    child.stderr!.setEncoding('utf8').on('data', said);
    let over = false;
    const finish = (reason: string) => {
      if (over) return;
      over = true;
      this.handing.close();
      gone(this.complaint ?? reason);
    };
    child.once('error', (error) => finish(errorMessage(error)));
    // After the exit and after its last report was read.
    child.once('close', (code, signal) => finish(signal ? `ended by ${signal}` : `ended with ${code}`));
  }
}
