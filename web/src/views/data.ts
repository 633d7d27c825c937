// The pages that somebody saved under a name. They are the person's, on every browser.
import { get, request } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { SavedView, SavedViews } from "../api/types.gen.ts";
import { startPage } from "../preferences.ts";
import { isSame } from "./words.ts";

export const views = loader<readonly SavedView[]>(async (abort) => (await get<SavedViews>("/views", abort)).views);

/** Changes what is saved; the list is asked for again also when that was refused, for then it was changed elsewhere. */
async function changing<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    views.load();
  }
}

/** Saves `path` under `name`; over the view of that name, if there is one. Whoever begins with that begins with this. */
export async function saveView(name: string, path: string): Promise<SavedView> {
  const before = views.state.peek().value?.find((view) => view.name === name);
  if (!before) return changing(() => request<SavedView>("POST", "/views", { body: { name, path } }));
  const { id, version } = before;
  const after = await changing(() => request<SavedView>("PUT", `/views/${id}`, { body: { name, path }, version }));
  if (isSame(startPage.peek(), before.path)) startPage.value = path;
  return after;
}

export const renameView = ({ id, path, version }: SavedView, name: string): Promise<unknown> =>
  changing(() => request("PUT", `/views/${id}`, { body: { name, path }, version }));

export const deleteView = ({ id, version }: SavedView): Promise<unknown> =>
  changing(() => request("DELETE", `/views/${id}`, { version }));

/** Puts the views into the order of `ids`, at once on the page. */
export function orderViews(ids: readonly number[]): Promise<unknown> {
  const before = views.state.peek().value ?? [];
  views.put(ids.flatMap((id) => before.find((view) => view.id === id) ?? []));
  return changing(() => request("PUT", "/views", { body: { views: ids } }));
}

/** Saves a view that was deleted again, as number `at` of those that are there. */
export async function bringBackView({ name, path }: SavedView, at: number): Promise<void> {
  const others = (views.state.peek().value ?? []).filter((view) => view.name !== name).map(({ id }) => id);
  const { id } = await saveView(name, path);
  if (at < others.length) await orderViews(others.toSpliced(at, 0, id));
}
