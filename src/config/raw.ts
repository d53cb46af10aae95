// Looking into plain values of which nothing is known yet: what is not a map is an empty one.

export type Section = Record<string, unknown>;

export function section(value: unknown): Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Section) : {};
}

/** The named entries of a top-level section. */
export function sections(root: unknown, name: string): [string, Section][] {
  return Object.entries(section(section(root)[name])).map(([key, value]) => [key, section(value)]);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}
