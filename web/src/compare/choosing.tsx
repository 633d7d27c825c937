// What is compared, and how: all of it only changes the address.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { CATALOGUE, instanceOf, pathWords } from "../api/catalogue.ts";
import { fleet } from "../live/session.ts";
import { navigate, path, query, setQuery } from "../router.ts";
import { CloseIcon } from "../shell/icons.tsx";
import { AddHost } from "./add_host.tsx";
import { type Asked, BEHIND_WORDS, listEntry, MOST_LINES, MOST_METRICS, RANKINGS, TOPS } from "./asked.ts";

interface ChoosingProps {
  asked: Asked;
  /** Those of its hosts that are not in the fleet. */
  missing: readonly string[];
  /** Instances that hosts are known to have. */
  instances: readonly string[];
}

export function Choosing({ asked, missing, instances }: ChoosingProps) {
  return (
    <div class="choosing panel">
      <HostChoice asked={asked} missing={missing} />
      <MetricChoice asked={asked} />
      {(instances.length > 1 || asked.instances.length > 0) && <InstanceChoice asked={asked} instances={instances} />}
      <fieldset class="how">
        <legend class="hidden">How it is shown</legend>
        <Segments
          label="Drawn"
          name="layout"
          value={asked.layout === "over" ? "" : asked.layout}
          options={{ "": "Overlaid", each: "Each by itself" }}
        />
        <Segments label="Behind" name="behind" value={asked.behind} options={BEHIND_WORDS} />
      </fieldset>
    </div>
  );
}

const nameOf = (id: string): string => fleet.entries.get(id)?.host.value.label || id;

function HostChoice({ asked, missing }: Pick<ChoosingProps, "asked" | "missing">) {
  const { hosts, top, by, tooMany } = asked;
  const set = (next: readonly string[]) => setQuery({ hosts: listEntry(next), of: null });
  return (
    <Row title="Hosts">
      {hosts.length === 0 ? (
        <span class="sentence">
          The
          <Select label="How many" name="top" value={String(top)} none="5" options={numbers} />
          with the highest
          <Select label="By" name="by" value={by} none="avg" options={RANKINGS} />
          of the fleet
        </span>
      ) : (
        hosts.map((id) => (
          <Chip
            key={id}
            name={nameOf(id)}
            title={id}
            absent={missing.includes(id)}
            onRemove={() => set(hosts.filter((one) => one !== id))}
          />
        ))
      )}
      {hosts.length < MOST_LINES && <AddHost chosen={hosts} onAdd={(id) => set([...hosts, id])} />}
      {hosts.length > 0 && (
        <button type="button" class="quiet" onClick={() => set([])}>
          Top of the fleet
        </button>
      )}
      {tooMany > 0 && (
        <p class="hint tone-warning" role="status">
          {MOST_LINES} hosts are compared, {tooMany} more were asked for.
        </p>
      )}
    </Row>
  );
}

const numbers: Record<string, string> = Object.fromEntries(TOPS.map((count) => [String(count), String(count)]));

function MetricChoice({ asked: { metrics } }: { asked: Asked }) {
  const set = (next: readonly string[]) => setQuery({ metrics: listEntry(next), of: null });
  return (
    <Row title="Metrics">
      {metrics.map((metric) => (
        <Chip
          key={metric}
          name={pathWords(metric)}
          onRemove={metrics.length > 1 ? () => set(metrics.filter((one) => one !== metric)) : null}
        />
      ))}
      {metrics.length < MOST_METRICS && (
        <select
          aria-label="Add a metric"
          value=""
          onChange={({ currentTarget }) => {
            const { value } = currentTarget;
            currentTarget.value = "";
            if (value) set([...metrics, value]);
          }}
        >
          <option value="">Add a metric …</option>
          {CATALOGUE.map((family) => (
            <optgroup key={family.name} label={family.label}>
              {family.metrics
                .map((metric) => ({ named: `${family.name}.${metric.name}`, label: metric.label }))
                .filter(({ named }) => !metrics.includes(named))
                .map(({ named, label }) => (
                  <option key={named} value={named}>
                    {label}
                  </option>
                ))}
            </optgroup>
          ))}
        </select>
      )}
    </Row>
  );
}

/** Of which only some may be looked at, such as one mount of every host. */
function InstanceChoice({ asked, instances }: Pick<ChoosingProps, "asked" | "instances">) {
  const words = [...new Set(asked.metrics.map(instanceOf).filter(Boolean))].join(", ");
  const chosen = new Set(asked.instances);
  // Before any answer is there nothing is known to be absent.
  const absent = instances.length > 0 ? asked.instances.filter((one) => !instances.includes(one)) : [];
  const toggle = (instance: string) => {
    const next = new URLSearchParams(query.peek());
    const left = asked.instances.filter((one) => one !== instance);
    next.delete("of");
    for (const one of chosen.has(instance) ? left : [...left, instance]) next.append("of", one);
    navigate(`${path.peek()}?${next}`);
  };
  return (
    <Row title={`Of ${words}`}>
      {[...new Set([...instances, ...chosen])].sort().map((instance) => (
        <button
          key={instance}
          type="button"
          class="instance-choice"
          aria-pressed={chosen.has(instance)}
          onClick={() => toggle(instance)}
        >
          {instance}
        </button>
      ))}
      {absent.length > 0 && <p class="hint">No samples of {absent.join(", ")} in this range</p>}
    </Row>
  );
}

function Row({ title, children }: { title: string; children: ComponentChildren }) {
  const id = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be a row of a grid in all browsers
    <div class="choosing-row" role="group" aria-labelledby={id}>
      <span id={id}>{title}</span>
      <div>{children}</div>
    </div>
  );
}

interface ChipProps {
  name: string;
  title?: string;
  /** Whether it is a host that is not there. */
  absent?: boolean;
  /** Null where it is the last. */
  onRemove: (() => void) | null;
}

function Chip({ name, title, absent, onRemove }: ChipProps) {
  return (
    <span class="chosen" title={title}>
      {absent ? (
        <>
          <s>{name}</s>&nbsp;<small>not in the fleet</small>
        </>
      ) : (
        name
      )}
      {onRemove && (
        <button type="button" class="quiet" aria-label={`Remove ${name}`} onClick={onRemove}>
          <CloseIcon />
        </button>
      )}
    </span>
  );
}

interface ChoiceProps {
  label: string;
  /** Entry of the query. */
  name: string;
  value: string;
  options: Record<string, string>;
}

function Segments({ label, name, value, options }: ChoiceProps) {
  const id = useId();
  return (
    // biome-ignore lint/a11y/useSemanticElements: it stands in a fieldset already, beside another one
    <div class="segments-of" role="group" aria-labelledby={id}>
      <span id={id}>{label}</span>
      <div class="segments">
        {Object.entries(options).map(([one, words]) => (
          <button
            key={one}
            type="button"
            aria-pressed={value === one}
            onClick={() => setQuery({ [name]: one || null })}
          >
            {words}
          </button>
        ))}
      </div>
    </div>
  );
}

/** `none`: the option that the address need not name. */
function Select({ label, name, value, none, options }: ChoiceProps & { none: string }) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={({ currentTarget }) => setQuery({ [name]: currentTarget.value === none ? null : currentTarget.value })}
    >
      {Object.entries(options).map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  );
}
