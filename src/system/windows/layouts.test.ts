// The decoders against the SDK's structures, member by member, as a C compiler lays them out on x64 and arm64.
import { expect, it } from 'vitest';
import { bytes, cStruct, encoded } from '../../../test/support/c-struct.ts';
import { shellExecute } from '../../ffi/index.ts';
import { decodeProcessList } from './process-list.ts';
import { decodeServices } from './services.ts';
import { decodeTable } from './tables.ts';

const u32 = 'uint32_t';
const u64 = 'uint64_t';
const module = { liCreateTimestamp: 'int64_t', OwningModuleInfo0: u64, OwningModuleInfo: bytes(15 * 8) };
const opened = { liCreateTimestamp: 1234n, OwningModuleInfo0: 77n };
const swapped = (port: number) => ((port & 0xff) << 8) | (port >> 8);
const loopback = [...new Array(15).fill(0), 1];

function table(row: Parameters<typeof cStruct>[0], values: Record<string, unknown>): Uint8Array {
  // The row's own alignment puts it at 8.
  const type = cStruct({ dwNumEntries: u32, table: cStruct(row) });
  return encoded(type, { dwNumEntries: 1, table: { ...opened, ...values } });
}

it('reads MIB_TCPROW_OWNER_MODULE and MIB_TCP6ROW_OWNER_MODULE', () => {
  const v4 = table(
    {
      ...{ dwState: u32, dwLocalAddr: u32, dwLocalPort: u32, dwRemoteAddr: u32, dwRemotePort: u32 },
      ...{ dwOwningPid: u32, ...module },
    },
    {
      ...{ dwState: 5, dwLocalAddr: 0x0100007f, dwLocalPort: swapped(8080), dwRemoteAddr: 0x0200007f },
      ...{ dwRemotePort: swapped(50_000), dwOwningPid: 42 },
    },
  );
  expect(decodeTable(v4, 'tcp', 'ipv4')).toEqual([
    {
      ...{ protocol: 'tcp', family: 'ipv4', address: '127.0.0.1', port: 8080, remoteAddress: '127.0.0.2' },
      ...{ remotePort: 50_000, state: 'established', pid: 42, created: 1234n, serviceTag: 77 },
    },
  ]);
  const v6 = table(
    {
      ...{ ucLocalAddr: bytes(16), dwLocalScopeId: u32, dwLocalPort: u32, ucRemoteAddr: bytes(16) },
      ...{ dwRemoteScopeId: u32, dwRemotePort: u32, dwState: u32, dwOwningPid: u32, ...module },
    },
    {
      ...{ ucLocalAddr: loopback, dwLocalPort: swapped(443), ucRemoteAddr: loopback, dwState: 5 },
      ...{ dwRemotePort: swapped(1), dwOwningPid: 43 },
    },
  );
  expect(decodeTable(v6, 'tcp', 'ipv6')).toMatchObject([
    {
      ...{ address: '::1', port: 443, remoteAddress: '::1', remotePort: 1, state: 'established', pid: 43 },
      ...{ created: 1234n, serviceTag: 77 },
    },
  ]);
});

it('reads MIB_UDPROW_OWNER_MODULE and MIB_UDP6ROW_OWNER_MODULE', () => {
  const flags = { dwFlags: 'int32_t', ...module };
  const v4 = table(
    { dwLocalAddr: u32, dwLocalPort: u32, dwOwningPid: u32, ...fileTimeFirst(flags) },
    { dwLocalAddr: 0x0100007f, dwLocalPort: swapped(53), dwOwningPid: 44 },
  );
  expect(decodeTable(v4, 'udp', 'ipv4')).toMatchObject([
    { address: '127.0.0.1', port: 53, pid: 44, created: 1234n, serviceTag: 77 },
  ]);
  const v6 = table(
    {
      ...{ ucLocalAddr: bytes(16), dwLocalScopeId: u32, dwLocalPort: u32, dwOwningPid: u32 },
      ...fileTimeFirst(flags),
    },
    { ucLocalAddr: loopback, dwLocalPort: swapped(53), dwOwningPid: 45 },
  );
  expect(decodeTable(v6, 'udp', 'ipv6')).toMatchObject([
    { address: '::1', port: 53, pid: 45, created: 1234n, serviceTag: 77 },
  ]);
});

/** Rows of UDP have their flags between the time and the module. */
function fileTimeFirst({ liCreateTimestamp, dwFlags, ...rest }: Record<string, unknown>) {
  return { liCreateTimestamp, dwFlags, ...rest } as Record<string, string>;
}

it('reads SYSTEM_PROCESS_INFORMATION', () => {
  const type = cStruct({
    ...{ NextEntryOffset: u32, NumberOfThreads: u32, WorkingSetPrivateSize: 'int64_t' },
    ...{ HardFaultCount: u32, NumberOfThreadsHighWatermark: u32, CycleTime: u64, CreateTime: 'int64_t' },
    ...{ UserTime: 'int64_t', KernelTime: 'int64_t' },
    ImageName: cStruct({ Length: 'uint16_t', MaximumLength: 'uint16_t', Buffer: u64 }),
    ...{ BasePriority: 'int32_t', UniqueProcessId: u64, InheritedFromUniqueProcessId: u64, name: bytes(16) },
  });
  const name = Buffer.from('node.exe', 'utf16le');
  const made = encoded(type, {
    ...{ CreateTime: 99n, UniqueProcessId: 4242n, InheritedFromUniqueProcessId: 4000n, name: [...name] },
    ImageName: { Length: name.length, Buffer: 0x1000n + 96n },
  });
  expect(decodeProcessList(made, 0x1000n)).toEqual([
    { pid: 4242, parent: 4000, created: 99n, name: 'node.exe' },
  ]);
});

it('reads ENUM_SERVICE_STATUS_PROCESSW', () => {
  const words = ['dwServiceType', 'dwCurrentState', 'dwControlsAccepted', 'dwWin32ExitCode'];
  const more = ['dwServiceSpecificExitCode', 'dwCheckPoint', 'dwWaitHint', 'dwProcessId', 'dwServiceFlags'];
  const status = cStruct(Object.fromEntries([...words, ...more].map((word) => [word, u32])));
  const row = cStruct({ lpServiceName: u64, lpDisplayName: u64, ServiceStatusProcess: status });
  // The names follow the last row.
  const made = encoded(cStruct({ row, name: bytes(8) }), {
    row: { lpServiceName: 0x2000n + 56n, ServiceStatusProcess: { dwProcessId: 900 } },
    name: [...Buffer.from('DNS\0', 'utf16le')],
  });
  expect([...decodeServices(made, 0x2000n, 1)]).toEqual([[900, ['DNS']]]);
});

it('fills SHELLEXECUTEINFOW', () => {
  const type = cStruct({
    ...{ cbSize: u32, fMask: u32, hwnd: u64, lpVerb: u64, lpFile: u64, lpParameters: u64, lpDirectory: u64 },
    ...{ nShow: 'int32_t', hInstApp: u64, lpIDList: u64, lpClass: u64, hkeyClass: u64, dwHotKey: u32 },
    ...{ hMonitor: u64, hProcess: u64 },
  });
  const at = (name: string) => encoded(type, { [name]: 1 }).indexOf(1);
  expect({
    ...{ size: encoded(type, {}).length, mask: at('fMask'), verb: at('lpVerb'), file: at('lpFile') },
    ...{ parameters: at('lpParameters'), directory: at('lpDirectory'), show: at('nShow') },
    process: at('hProcess'),
  }).toMatchObject({
    ...{ size: shellExecute.size, mask: shellExecute.mask, verb: shellExecute.verb, file: shellExecute.file },
    ...{ parameters: shellExecute.parameters, directory: shellExecute.directory, show: shellExecute.show },
    process: shellExecute.process,
  });
});
