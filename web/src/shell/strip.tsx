// The strip over every page of a demonstration: nobody takes for real what is simulated.
export const Strip = () => (
  <aside class="demonstration" aria-label="Demonstration">
    <strong>Demonstration</strong> <span>Every host and every value here is simulated.</span>
  </aside>
);
