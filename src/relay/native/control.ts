// A worker's talk with the control process: commands from standard input, reports to standard output, never waiting.
import { epoll, errno, errorNumber, linux, nativeMemory } from '../../ffi/index.ts';
import type { Loop, Watcher } from './loop.ts';
import { type Command, Decoder, encode, type Report } from './protocol.ts';

const inputSize = 64 * 1024;

export class Control implements Watcher {
  private readonly loop: Loop;
  private readonly command: (command: Command) => void;
  private readonly input = nativeMemory(inputSize);
  private readonly decoder = new Decoder<Command>();
  private readonly output: Output;

  /** `command` is called for each; the loop stops when the control process is gone. */
  constructor(loop: Loop, command: (command: Command) => void) {
    this.loop = loop;
    this.command = command;
    this.output = new Output(loop);
    loop.watch(0, linux.EPOLLIN, this);
  }

  /** False while earlier reports still wait to be taken. */
  get free(): boolean {
    return this.output.free;
  }

  tell(report: Report): void {
    this.output.write(encode(report));
  }

  ready(): void {
    const size = epoll.recv(0, this.input.pointer, inputSize, linux.MSG_DONTWAIT);
    if (size < 0 && errno() === errorNumber.EAGAIN) return;
    // The end of its input is how a worker learns that it is not wanted any more, or that nobody is there.
    if (size <= 0) {
      this.loop.stop();
      return;
    }
    for (const command of this.decoder.push(this.input.bytes.subarray(0, size))) this.command(command);
  }

  resume(): void {}
}

class Output implements Watcher {
  private readonly loop: Loop;
  private pending: Uint8Array = new Uint8Array(0);
  private readonly text = new TextEncoder();

  constructor(loop: Loop) {
    this.loop = loop;
    loop.watch(1, (linux.EPOLLOUT | linux.EPOLLET) >>> 0, this);
  }

  get free(): boolean {
    return this.pending.length === 0;
  }

  write(line: string): void {
    const bytes = this.text.encode(line);
    this.pending = this.free ? bytes : Buffer.concat([this.pending, bytes]);
    this.ready();
  }

  ready(): void {
    while (this.pending.length > 0) {
      const flags = linux.MSG_DONTWAIT | linux.MSG_NOSIGNAL;
      const sent = epoll.send(1, this.pending, this.pending.length, flags);
      if (sent < 0) {
        if (errno() !== errorNumber.EAGAIN) this.loop.stop();
        return;
      }
      this.pending = this.pending.subarray(sent);
    }
  }

  resume(): void {}
}
