// The strip over every page of a demonstration: nobody takes for real what is simulated.
import { me } from "../login/me.ts";

export function Demonstration() {
  if (!me.value?.demonstration) return null;
  return (
    <aside class="demonstration" aria-label="Demonstration">
      <strong>Demonstration</strong> <span>Every host and every value here is simulated.</span>
    </aside>
  );
}
