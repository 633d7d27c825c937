// Which version of the dashboard a page is. Pure.

/** Whether `page` is a dashboard, and another one than that of `script`, the path of the file it begins with. */
export const isAnotherDashboard = (page: string, script: string): boolean =>
  page.includes('src="/assets/index-') && !page.includes(`"${script}"`);
