// The decoders against XNU's structures, member by member, as a C compiler would lay them out.
import { expect, it } from 'vitest';
import { bytes, cStruct, encoded } from '../../../test/support/c-struct.ts';
import { decodeFolder, decodeProcesses, folderInfo, processInfo } from './process-info.ts';
import { decodeDescriptors, decodeSocket, socketInfo } from './socket-info.ts';

const u32 = 'uint32_t';
const i32 = 'int32_t';
const i16 = 'int16_t';
const u64 = 'uint64_t';
const i64 = 'int64_t';

// bsd/sys/proc_info.h
const vinfoStat = cStruct({
  ...{ vst_dev: u32, vst_mode: 'uint16_t', vst_nlink: 'uint16_t', vst_ino: u64, vst_uid: u32, vst_gid: u32 },
  ...{ vst_atime: i64, vst_atimensec: i64, vst_mtime: i64, vst_mtimensec: i64, vst_ctime: i64 },
  ...{ vst_ctimensec: i64, vst_birthtime: i64, vst_birthtimensec: i64, vst_size: i64, vst_blocks: i64 },
  ...{ vst_blksize: i32, vst_flags: u32, vst_gen: u32, vst_rdev: u32, vst_qspare: bytes(16) },
});
const sockbufInfo = () =>
  cStruct({
    ...{ sbi_cc: u32, sbi_hiwat: u32, sbi_mbcnt: u32, sbi_mbmax: u32, sbi_lowat: u32 },
    ...{ sbi_flags: i16, sbi_timeo: i16 },
  });
const inSockinfo = cStruct({
  ...{ insi_fport: i32, insi_lport: i32, insi_gencnt: u64, insi_flags: u32, insi_flow: u32 },
  ...{ insi_vflag: 'uint8_t', insi_ip_ttl: 'uint8_t', rfu_1: u32 },
  ...{ insi_faddr: bytes(16), insi_laddr: bytes(16), insi_v4: bytes(1) },
  insi_v6: cStruct({ in6_hlim: 'uint8_t', in6_cksum: i32, in6_ifindex: 'uint16_t', in6_hops: i16 }),
});
const tcpSockinfo = cStruct({
  ...{ tcpsi_ini: inSockinfo, tcpsi_state: i32, tcpsi_timer: bytes(16), tcpsi_mss: i32 },
  ...{ tcpsi_flags: u32, rfu_1: u32, tcpsi_tp: u64 },
});
const socketFdinfo = cStruct({
  pfi: cStruct({
    ...{ fi_openflags: u32, fi_status: u32, fi_offset: i64, fi_type: i32, fi_guardflags: u32 },
  }),
  psi: cStruct({
    ...{ soi_stat: vinfoStat, soi_so: u64, soi_pcb: u64, soi_type: i32, soi_protocol: i32, soi_family: i32 },
    ...{ soi_options: i16, soi_linger: i16, soi_state: i16, soi_qlen: i16, soi_incqlen: i16 },
    ...{ soi_qlimit: i16, soi_timeo: i16, soi_error: 'uint16_t', soi_oobmark: u32 },
    ...{ soi_rcv: sockbufInfo(), soi_snd: sockbufInfo(), soi_kind: i32, rfu_1: u32, pri_tcp: tcpSockinfo },
    // The largest of the union is un_sockinfo: two words, and two addresses of 255 bytes (SOCK_MAXADDRLEN).
    rest: bytes(528 - 120),
  }),
});

it('reads struct socket_fdinfo', () => {
  const swapped = (port: number) => ((port & 0xff) << 8) | (port >> 8);
  const made = encoded(socketFdinfo, {
    psi: {
      ...{ soi_so: 0xabcdn, soi_protocol: 6, soi_family: 2, soi_qlen: 3, soi_qlimit: 128, soi_kind: 2 },
      ...{ soi_rcv: { sbi_cc: 70 }, soi_snd: { sbi_cc: 80 } },
      pri_tcp: {
        tcpsi_ini: {
          ...{ insi_lport: swapped(8080), insi_fport: swapped(443), insi_vflag: 1 },
          insi_laddr: [...new Array(12).fill(0), 10, 0, 0, 1],
          insi_faddr: [...new Array(12).fill(0), 10, 0, 0, 2],
        },
        tcpsi_state: 4,
      },
    },
  });
  expect(made.length).toBe(socketInfo.size);
  expect(decodeSocket(made)).toMatchObject({
    ...{ protocol: 'tcp', address: '10.0.0.1', port: 8080, remoteAddress: '10.0.0.2', remotePort: 443 },
    ...{ state: 'established', id: 'abcd', receiveQueue: 70, sendQueue: 80 },
  });
});

it('reads struct proc_fdinfo and struct proc_vnodepathinfo', () => {
  const fd = encoded(cStruct({ proc_fd: i32, proc_fdtype: u32 }), { proc_fd: 7, proc_fdtype: 2 });
  expect(decodeDescriptors(fd, fd.length)).toEqual([7]);
  const path = () =>
    cStruct({ vi_stat: vinfoStat, vi_type: i32, vi_pad: i32, vi_fsid: bytes(8), vip_path: bytes(1024) });
  const folder = encoded(cStruct({ pvi_cdir: path(), pvi_rdir: path() }), {
    pvi_cdir: { vip_path: [...Buffer.from('/work'), ...new Array(1019).fill(0)] },
  });
  expect(folder.length).toBe(folderInfo.size);
  expect(decodeFolder(folder)).toBe('/work');
});

// bsd/sys/proc.h and sysctl.h; pointers are words.
const timeval = () => cStruct({ tv_sec: i64, tv_usec: i32 });
const externProc = cStruct({
  ...{ p_starttime: timeval(), p_vmspace: u64, p_sigacts: u64, p_flag: i32, p_stat: 'int8_t', p_pid: i32 },
  ...{ p_oppid: i32, p_dupfd: i32, user_stack: u64, exit_thread: u64, p_debugger: i32, sigwait: i32 },
  ...{ p_estcpu: u32, p_cpticks: i32, p_pctcpu: u32, p_wchan: u64, p_wmesg: u64, p_swtime: u32 },
  ...{ p_slptime: u32, it_interval: timeval(), it_value: timeval(), p_rtime: timeval(), p_uticks: u64 },
  ...{ p_sticks: u64, p_iticks: u64, p_traceflag: i32, p_tracep: u64, p_siglist: i32, p_textvp: u64 },
  ...{ p_holdcnt: i32, p_sigmask: u32, p_sigignore: u32, p_sigcatch: u32, p_priority: 'uint8_t' },
  ...{ p_usrpri: 'uint8_t', p_nice: 'int8_t', p_comm: bytes(17), p_pgrp: u64, p_addr: u64 },
  ...{ p_xstat: 'uint16_t', p_acflag: 'uint16_t', p_ru: u64 },
});
const kinfoProc = cStruct({
  kp_proc: externProc,
  kp_eproc: cStruct({
    ...{ e_paddr: u64, e_sess: u64 },
    e_pcred: cStruct({
      ...{ pc_lock: bytes(72), pc_ucred: u64, p_ruid: u32, p_svuid: u32, p_rgid: u32, p_svgid: u32 },
      p_refcnt: i32,
    }),
    e_ucred: cStruct({ cr_ref: i32, cr_uid: u32, cr_ngroups: i16, cr_groups0: u32, cr_groups: bytes(60) }),
    e_vm: cStruct({ dummy: i32, dummy2: u64, dummy3: bytes(20), dummy4: u64, dummy5: u64, dummy6: u64 }),
    ...{ e_ppid: i32, e_pgid: i32, e_jobc: i16, e_tdev: i32, e_tpgid: i32, e_tsess: u64, e_wmesg: bytes(8) },
    ...{ e_xsize: i32, e_xrssize: i16, e_xccount: i16, e_xswrss: i16, e_flag: i32, e_login: bytes(12) },
    e_spare: bytes(16),
  }),
});

it('reads struct kinfo_proc', () => {
  const made = encoded(kinfoProc, {
    kp_proc: {
      ...{ p_starttime: { tv_sec: 1_700_000_000n, tv_usec: 42 }, p_stat: 2, p_pid: 501 },
      p_comm: [...Buffer.from('node'), ...new Array(13).fill(0)],
    },
    kp_eproc: { e_ucred: { cr_uid: 502 }, e_ppid: 1, e_pgid: 500 },
  });
  expect(made.length).toBe(processInfo.size);
  expect(decodeProcesses(made, made.length)).toMatchObject([
    { pid: 501, parent: 1, group: 500, uid: 502, name: 'node', start: '1700000000.000042' },
  ]);
});
