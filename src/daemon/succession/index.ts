// Door of succession/: one daemon after another on the same sockets, without a moment in which nobody listens.
export { type ChangingCompany, type Company, createCompany } from './company.ts';
export { raiseHeir } from './heir.ts';
export { type Inheritance, receiveInheritance } from './inheritance.ts';
export type { Estate, GivenSocket } from './messages.ts';
