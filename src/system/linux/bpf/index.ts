// Door of bpf/: holders told by the kernel itself.
export { type BpfCall, createKernelHolders, type KernelHolders } from './holders.ts';
