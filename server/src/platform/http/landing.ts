import { z } from 'zod';
import { slug } from '../config/fields.ts';
import { PAGE_PATHS } from './static.ts';

const PAGES = PAGE_PATHS.filter((path) => !path.includes(':') && !['/login', '/setup', '/join'].includes(path));
const DASHBOARD = '/dashboards/';

/** A page somebody may begin with: one that exists, or a dashboard. */
export const landing = z.union(
  [z.enum(PAGES), z.string().refine((path) => path.startsWith(DASHBOARD) && slug.safeParse(path.slice(DASHBOARD.length)).success)],
  {
    error: 'must be a page of this product, such as /services, or a dashboard, such as /dashboards/executive',
  },
);
