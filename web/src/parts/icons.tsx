// Icons of the navigation and of buttons: 20 px outlines in the text's colour, hidden from screen readers.
const paths = {
  overview: 'M3 3h6v7H3zM11 3h6v4h-6zM11 9h6v8h-6zM3 12h6v5H3z',
  traffic: 'M3 10h4M13 4h4M13 10h4M13 16h4M7 10c4 0 2-6 6-6M7 10h6M7 10c4 0 2 6 6 6',
  ports: 'M3 6h14v8H3zM6 9v5M9 9v5M12 9v5M15 9v5',
  checks: 'M2 10h4l2-5 4 10 2-5h4',
  leases: 'M10 3a4 4 0 0 1 4 4c0 2.200-1.800 4-4 4s-4-1.800-4-4a4 4 0 0 1 4-4zM10 11v6M10 14h3',
  events: 'M4 5h12M4 10h12M4 15h8',
  config: 'M4 6h6M14 6h2M4 14h2M10 14h6M12 4v4M8 12v4',
  sun: 'M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100',
  moon: 'M16 11.500A6.500 6.500 0 0 1 8.500 4a6.500 6.500 0 1 0 7.500 7.500z',
  auto: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14',
  key: 'M12.500 3.500a4 4 0 1 1-3.600 5.700L3 15v2h3v-2h2v-2h1.500l1.300-1.200',
  close: 'M5 5l10 10M15 5L5 15',
  down: 'M10 4v11M5.500 10.500 10 15l4.500-4.500',
  up: 'M10 16V5M5.500 9.500 10 5l4.500 4.500',
  alert: 'M10 3 2.500 16.500h15zM10 8v4M10 14.200v.1',
  fine: 'M4 10.500 8.200 14.500 16 6',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
