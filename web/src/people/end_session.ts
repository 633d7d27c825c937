// The end of a session.
import { Failure, request } from "../api/client.ts";

/** Ends a session; one that has ended meanwhile is as good. Throws Failure. */
export async function endSession(id: number): Promise<void> {
  try {
    await request("DELETE", `/sessions/${id}`);
  } catch (error) {
    if (!(error instanceof Failure && error.status === 404)) throw error;
  }
}
