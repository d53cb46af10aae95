// iphlpapi's socket tables, and ws2_32's calls for binds with exact options.
import { declare, type Pointer } from '../call.ts';

export interface Iphlpapi {
  GetExtendedTcpTable(
    table: Pointer,
    size: Pointer,
    sorted: number,
    family: number,
    kind: number,
    reserved: number,
  ): number;
  GetExtendedUdpTable(
    table: Pointer,
    size: Pointer,
    sorted: number,
    family: number,
    kind: number,
    reserved: number,
  ): number;
  ConvertInterfaceAliasToLuid(alias: string, luid: Pointer): number;
}

export const iphlpapi: Iphlpapi = declare<Iphlpapi>(['iphlpapi.dll'], {
  GetExtendedTcpTable: 'uint32_t GetExtendedTcpTable(void *, void *, int, uint32_t, int, uint32_t)',
  GetExtendedUdpTable: 'uint32_t GetExtendedUdpTable(void *, void *, int, uint32_t, int, uint32_t)',
  ConvertInterfaceAliasToLuid: 'uint32_t ConvertInterfaceAliasToLuid(str16, void *)',
});

/** A SOCKET is a handle; -1 (INVALID_SOCKET) where there is none. */
export interface Winsock {
  WSAStartup(version: number, data: Pointer): number;
  WSAGetLastError(): number;
  socket(family: number, type: number, protocol: number): number;
  setsockopt(socket: number, level: number, option: number, value: Pointer, size: number): number;
  bind(socket: number, address: Pointer, size: number): number;
  listen(socket: number, backlog: number): number;
  getsockname(socket: number, address: Pointer, size: Pointer): number;
  closesocket(socket: number): number;
}

export const winsock: Winsock = declare<Winsock>(['ws2_32.dll'], {
  WSAStartup: 'int WSAStartup(uint16_t, void *)',
  WSAGetLastError: 'int WSAGetLastError()',
  socket: 'intptr_t socket(int, int, int)',
  setsockopt: 'int setsockopt(intptr_t, int, int, const void *, int)',
  bind: 'int bind(intptr_t, const void *, int)',
  listen: 'int listen(intptr_t, int)',
  getsockname: 'int getsockname(intptr_t, void *, void *)',
  closesocket: 'int closesocket(intptr_t)',
});

/** From winsock2.h, ws2ipdef.h, iprtrmib.h. */
export const net = {
  AF_INET: 2,
  AF_INET6: 23,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 4,
  /** `(int)(~SO_REUSEADDR)`. */
  SO_EXCLUSIVEADDRUSE: -5,
  IPPROTO_IPV6: 41,
  IPV6_V6ONLY: 27,
  TCP_TABLE_OWNER_MODULE_LISTENER: 6,
  TCP_TABLE_OWNER_MODULE_ALL: 8,
  UDP_TABLE_OWNER_MODULE: 2,
} as const;
