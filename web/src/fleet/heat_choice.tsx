// Which metric the colours of the heat map tell.
import { OVERVIEW, pathWords } from "../api/catalogue.ts";
import { setQuery } from "../router.ts";
import { heatMetric } from "./shown.ts";

export function HeatChoice() {
  const metric = heatMetric.value;
  const all = OVERVIEW.includes(metric) ? OVERVIEW : [...OVERVIEW, metric];
  return (
    <label class="choice">
      <span>Colour</span>
      <select
        aria-label="Colour"
        value={metric}
        onChange={({ currentTarget: { value } }) => setQuery({ metric: value === "cpu.total" ? null : value })}
      >
        {all.map((path) => (
          <option key={path} value={path}>
            {pathWords(path)}
          </option>
        ))}
      </select>
    </label>
  );
}
