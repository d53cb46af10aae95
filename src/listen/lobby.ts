// Who is in a greeting, and who has to go where there is no room for one more: networks that have most there pay first.
import { networkOf } from './client-rate.ts';

export class Lobby<Who> {
  /** In the order in which they came, each with its network. */
  private readonly present = new Map<Who, string>();
  private readonly counts = new Map<string, number>();

  get size(): number {
    return this.present.size;
  }

  all(): Who[] {
    return [...this.present.keys()];
  }

  add(who: Who, address: string): void {
    const network = networkOf(address);
    this.present.set(who, network);
    this.counts.set(network, this.countOf(network) + 1);
  }

  delete(who: Who): void {
    const network = this.present.get(who);
    if (network === undefined) return;
    this.present.delete(who);
    const count = this.countOf(network) - 1;
    if (count > 0) this.counts.set(network, count);
    else this.counts.delete(network);
  }

  /**
   * Who has been here longest of the network that has most here; null where one from `address` is not better, so that
   * two networks do not take the place from each other in turn.
   */
  whoYieldsTo(address: string): Who | null {
    let [busiest, most] = ['', this.countOf(networkOf(address)) + 1];
    for (const [network, count] of this.counts) if (count > most) [busiest, most] = [network, count];
    for (const [who, network] of this.present) if (network === busiest) return who;
    return null;
  }

  private countOf(network: string): number {
    return this.counts.get(network) ?? 0;
  }
}
