// What the operations of the API are about: the groups of its document and of the page that shows it.

/** By the first word after /api/v1/; what stands elsewhere is a page or a number for machines. */
const topics = [
  {
    name: 'State',
    description: 'Everything as it is now, and its parts.',
    words: [
      'status',
      'listeners',
      'targets',
      'services',
      'checks',
      'sinks',
      'registry',
      'maintenance',
      'config',
    ],
  },
  {
    name: 'Live and history',
    description: 'What happens as it happens, and the numbers of the last 30 days.',
    words: ['live', 'events', 'history'],
  },
  {
    name: 'Orders',
    description: 'What changes something. Each needs the token.',
    words: ['drain', 'weight', 'maintain', 'restart', 'scale', 'reload', 'upgrade', 'stop'],
  },
  {
    name: 'Ports and leases',
    description: 'The ports of the whole machine, as the commands know them.',
    words: ['who', 'why', 'ranges', 'free', 'leases'],
  },
  { name: 'Session', description: 'Signing in with the token, once.', words: ['session'] },
  {
    name: 'Health, metrics and pages',
    description: 'For probes, for Prometheus, and for people.',
    words: [],
  },
];

/** In their order. */
export const tags = topics.map(({ name, description }) => ({ name, description }));

export function tagOf(path: string): string {
  const word = /^\/api\/v1\/([a-z]+)/.exec(path)?.[1];
  return (topics.find(({ words }) => words.includes(word ?? '')) ?? topics.at(-1)!).name;
}
