// This process as a Windows service: the dispatcher on a thread of its own, the states told, the controls answered.
import { addressOf, callback, offThread, scm, serviceCalls, wideText } from '../../ffi/index.ts';
import type { ServiceManager } from '../service-manager.ts';

/** The manager takes a pending service for hung where neither of both grows (NSSM's await_single_handle). */
const pulseEvery = 5000;
const waitHint = 20_000;

const accepted = scm.ACCEPT_STOP | scm.ACCEPT_SHUTDOWN | scm.ACCEPT_PRESHUTDOWN | scm.ACCEPT_PARAMCHANGE;

/** See ServiceControl. The manager waits 30 s for the dispatcher (error 1053, event 7009). */
export async function hostService(
  name: string,
  main: (manager: ServiceManager) => Promise<number>,
): Promise<number | null> {
  let began!: (argument: true) => void;
  const begun = new Promise<true>((resolve) => {
    began = resolve;
  });
  const life = new Life(name);
  const serviceMain = callback('void ReeveServiceMain(uint32_t, void *)', () => {
    life.begin();
    began(true);
    return undefined;
  });
  // SERVICE_TABLE_ENTRYW, 16 bytes each; an empty one ends the table.
  const text = wideText(name);
  const table = new BigUint64Array([addressOf(text), serviceMain, 0n, 0n]);
  const dispatched = offThread(serviceCalls.StartServiceCtrlDispatcherW, new Uint8Array(table.buffer)).then(
    () => {
      // Named here so that they stay where native code looks at them.
      void [text, table];
    },
  );
  // Error 1063 comes at once where nobody but a person has started this.
  if ((await Promise.race([begun, dispatched])) !== true) return null;
  const code = await main(life).catch((error) => {
    life.end(70);
    throw error;
  });
  life.end(code);
  // The manager may end the process from here on; only then is everything told.
  await dispatched;
  return code;
}

class Life implements ServiceManager {
  readonly watchdog = null;
  readonly #name: string;
  readonly #handler: bigint;
  #handle = 0;
  #state: number = scm.START_PENDING;
  #checkpoint = 0;
  #pulse: NodeJS.Timeout | undefined;
  #answer: (what: 'stop' | 'reload') => void = () => {};
  /** What came before there was anybody to answer. */
  #early: 'stop' | null = null;

  constructor(name: string) {
    this.#name = name;
    this.#handler = callback('uint32_t ReeveServiceHandler(uint32_t, uint32_t, void *, void *)', (control) =>
      this.#control(control),
    );
  }

  begin(): void {
    this.#handle = serviceCalls.RegisterServiceCtrlHandlerExW(this.#name, this.#handler, null);
    this.#pending(scm.START_PENDING);
  }

  starting(): void {}
  reloading(): void {}
  alive(): void {}
  mainProcess(): void {}

  ready(): void {
    if (this.#state === scm.START_PENDING) this.#enter(scm.RUNNING);
  }

  stopping(): void {
    if (this.#state !== scm.STOP_PENDING && this.#state !== scm.STOPPED) this.#pending(scm.STOP_PENDING);
  }

  asks(answer: (what: 'stop' | 'reload') => void): void {
    this.#answer = answer;
    if (this.#early) answer(this.#early);
  }

  /** Once: telling it again may crash the manager's side of it (SetServiceStatus, remarks). */
  end(code: number): void {
    if (this.#state !== scm.STOPPED) this.#enter(scm.STOPPED, code);
  }

  /** Returns at once: the manager waits for the answer, and everybody else's services wait with it. */
  #control(control: number): number {
    if (control === scm.CONTROL_INTERROGATE) return 0;
    if (control === scm.CONTROL_PARAMCHANGE) {
      setImmediate(() => this.#answer('reload'));
      return 0;
    }
    if (![scm.CONTROL_STOP, scm.CONTROL_SHUTDOWN, scm.CONTROL_PRESHUTDOWN].includes(control as 1))
      return scm.ERROR_CALL_NOT_IMPLEMENTED;
    this.stopping();
    this.#early = 'stop';
    setImmediate(() => this.#answer('stop'));
    return 0;
  }

  #pending(state: number): void {
    clearInterval(this.#pulse);
    this.#state = state;
    this.#checkpoint = 1;
    this.#tell(0);
    this.#pulse = setInterval(() => {
      this.#checkpoint += 1;
      this.#tell(0);
    }, pulseEvery);
  }

  #enter(state: number, code = 0): void {
    clearInterval(this.#pulse);
    this.#state = state;
    this.#checkpoint = 0;
    this.#tell(code);
  }

  /** SERVICE_STATUS: seven DWORDs. */
  #tell(code: number): void {
    const pending = this.#checkpoint > 0;
    const values = new Uint32Array([
      scm.SERVICE_WIN32_OWN_PROCESS,
      this.#state,
      // No stop is taken while it starts: it comes when it can be heeded.
      this.#state === scm.RUNNING ? accepted : 0,
      code === 0 ? 0 : scm.ERROR_SERVICE_SPECIFIC_ERROR,
      code,
      this.#checkpoint,
      pending ? waitHint + this.#checkpoint * 1000 : 0,
    ]);
    serviceCalls.SetServiceStatus(this.#handle, new Uint8Array(values.buffer));
  }
}
