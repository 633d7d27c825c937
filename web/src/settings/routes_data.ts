// Routes as the gateway has them, fetched again when the stream says that they changed.
import { useEffect } from "preact/hooks";
import { withSettings } from "../alerts/data.ts";
import { get } from "../api/client.ts";
import { loader } from "../api/loading.ts";
import type { Routes } from "../api/types.gen.ts";

export const routes = loader<Routes>((signal) => get<Routes>("/routes", signal));

/** Keeps them current while they are shown. */
export function useRoutes(): void {
  useEffect(() => {
    const stop = withSettings(["routes"], routes.refresh);
    return () => {
      stop();
      routes.close();
    };
  }, []);
}
