/** Line drawings of 24 by 24; they are ornaments, and what they stand for is said in words beside them. */
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  send: 'M4 12l16-7-5 15-3-6zM12 14l8-9',
  smile: 'M12 3a9 9 0 100 18 9 9 0 000-18zM8.5 14.5c2 2.4 5 2.4 7 0M9 9.5v.5M15 9.5v.5',
  more: 'M12 6v.01M12 12v.01M12 18v.01',
  search: 'M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.5 15.5L20 20',
  group:
    'M9 5a3 3 0 100 6 3 3 0 000-6zM3 19c.5-4 3-5.5 6-5.5s5.5 1.5 6 5.5M16 5.5a3 3 0 010 5.5M17.5 14c2 .5 3.2 2 3.5 5',
  addGroup: 'M9 5a3 3 0 100 6 3 3 0 000-6zM3 19c.5-4 3-5.5 6-5.5s5.5 1.5 6 5.5M19 8v6M16 11h6',
  gear: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4',
  down: 'M6 9l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  reply: 'M10 6l-6 5 6 5v-3.5c4 0 7 1 10 4.5-1-5-4-8-10-8z',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  recall: 'M5 9h9a5 5 0 010 10H9M5 9l4-4M5 9l4 4',
  globe: 'M12 3a9 9 0 100 18 9 9 0 000-18zM3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18',
  bookmark: 'M7 4h10v16l-5-4-5 4z',
  clock: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v4l3 2',
  check: 'M5 12.5l4.5 4.5L19 7',
  checks: 'M2 12.5l4.5 4.5L15 7M11 16l1 1L21.5 7',
  alert: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 8v5M12 16v.01',
  flask: 'M10 3h4M11 3v6l-6 10c-.5 1 0 2 1 2h12c1 0 1.5-1 1-2l-6-10V3M8 15h8',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  block: 'M12 4a8 8 0 100 16 8 8 0 000-16zM6.5 6.5l11 11',
  info: 'M12 4a8 8 0 100 16 8 8 0 000-16zM12 11v5M12 8v.01',
  logout: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
