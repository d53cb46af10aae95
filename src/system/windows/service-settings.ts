// What the service manager keeps of a service beyond its program: one structure of ChangeServiceConfig2 each. Pure.
import { scm, wideText } from '../../ffi/index.ts';
import type { ServiceSpec } from '../service-manager.ts';

export interface ServiceSetting {
  level: number;
  bytes: Uint8Array;
}

/** `place` tells where bytes are in memory, and keeps them there: structures point at texts and lists (winsvc.h, 64 bits). */
export function settingsOf(spec: ServiceSpec, place: (bytes: Uint8Array) => bigint): ServiceSetting[] {
  const { restarts, start } = spec;
  const number = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
  const description = new Uint8Array(BigUint64Array.of(place(wideText(spec.description))).buffer);
  // SC_ACTION: what to do, and after how many milliseconds.
  const actions = new Uint32Array(restarts.flatMap((ms) => [scm.SC_ACTION_RESTART, ms]));
  // SERVICE_FAILURE_ACTIONSW, 40 bytes: seconds, two texts, a count, and where the actions are.
  const failure = new DataView(new ArrayBuffer(40));
  failure.setUint32(0, spec.resetAfter, true);
  failure.setUint32(24, restarts.length, true);
  failure.setBigUint64(32, place(new Uint8Array(actions.buffer)), true);
  const delayed = {
    level: scm.SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
    bytes: number(start === 'delayed' ? 1 : 0),
  };
  return [
    { level: scm.SERVICE_CONFIG_DESCRIPTION, bytes: description },
    { level: scm.SERVICE_CONFIG_FAILURE_ACTIONS, bytes: new Uint8Array(failure.buffer) },
    // Also where it says STOPPED with an error, not only where it vanishes.
    { level: scm.SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, bytes: number(1) },
    // Only for what starts by itself: refused for others.
    ...(start === 'manual' ? [] : [delayed]),
    { level: scm.SERVICE_CONFIG_SERVICE_SID_INFO, bytes: number(scm.SERVICE_SID_TYPE_UNRESTRICTED) },
    { level: scm.SERVICE_CONFIG_PRESHUTDOWN_INFO, bytes: number(spec.preshutdown) },
  ];
}
