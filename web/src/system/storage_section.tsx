// What is stored: the database on its disk and what it comes to, by family and day.
import { familyWord } from "../api/catalogue.ts";
import { get } from "../api/client.ts";
import type { StorageReport, StorageUse } from "../api/types.gen.ts";
import { age, fixed, text } from "../format.ts";
import { useEvery } from "../live/every.ts";
import { now } from "../live/session.ts";
import { base } from "../preferences.ts";
import { Loaded, useAsked } from "../shell/loaded.tsx";
import { Scroller } from "../shell/scroller.tsx";
import { Nothing } from "../shell/states.tsx";
import { byFamily, type FamilyUse, type Stored, sharesOf } from "./storage.ts";

const ask = (signal: AbortSignal): Promise<StorageReport> => get("/storage", signal);
/** It is measured every few minutes. */
const EVERY_S = 60;

const size = (bytes: number | null): string => text(bytes, "B", base());

export function Storage() {
  const report = useAsked(ask);
  useEvery(EVERY_S, report.refresh);
  return (
    <Loaded from={report} what="The storage">
      {({ use, time }) =>
        use === null || time === null ? (
          <Nothing>Not measured yet. The retention service does that some minutes after it starts.</Nothing>
        ) : (
          <Measured use={use} time={time} />
        )
      }
    </Loaded>
  );
}

function Measured({ use, time }: { use: StorageUse; time: number }) {
  const stored = byFamily(use);
  return (
    <>
      <Disk use={use} time={time} />
      <Families stored={stored} />
      <ByDay stored={stored} />
    </>
  );
}

/** What the database takes of its disk, and what it comes to when it holds as much as the settings say. */
function Disk({ use, time }: { use: StorageUse; time: number }) {
  const { kept, database_bytes, need_bytes, free_bytes, disk_bytes } = use;
  const shares = sharesOf(use);
  return (
    <div class="panel disk">
      <dl>
        <div>
          <dt>Database now</dt>
          <dd>{size(database_bytes)}</dd>
        </div>
        <div class={shares?.full ? "tone-critical" : ""}>
          <dt>Comes to</dt>
          <dd>{need_bytes === null ? "not known yet" : size(need_bytes)}</dd>
        </div>
        <div>
          <dt>Free on its disk</dt>
          <dd>{free_bytes === null ? "not known" : `${size(free_bytes)} of ${size(disk_bytes)}`}</dd>
        </div>
      </dl>
      {shares && (
        <svg class="disk-bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
          <rect class="others" width={shares.others} height="8" />
          <rect class="now" x={shares.others} width={shares.database} height="8" />
          <rect class="growth" x={shares.others + shares.database} width={shares.growth} height="8" />
        </svg>
      )}
      {shares?.full && (
        <p class="tone-critical" role="alert">
          At today's rate the disk fills up before the retention limit is reached. Keep less data, or enlarge the disk.
        </p>
      )}
      <p class="muted">
        {fixed(kept.raw_days, 0)} days of samples, {fixed(kept.minute_days, 0)} of minutes and{" "}
        {fixed(kept.hour_days, 0)} of hours are kept, by the <a href="/settings">settings</a>; at today's rate that
        comes to what is said here
        {use.need_without.length > 0 && `, without ${use.need_without.join(" and ")} rows, which are too few yet`}.
        Measured {age(now.value - time)} ago.
      </p>
    </div>
  );
}

function Families({ stored: { families, days } }: { stored: Stored }) {
  return (
    <Scroller label="Storage by family, scrolls sideways" class="panel table-panel listing">
      <table class="families">
        <thead>
          <tr>
            <th scope="col">Family</th>
            <th scope="col" class="n">
              Samples
            </th>
            <th scope="col" class="n">
              Minutes
            </th>
            <th scope="col" class="n">
              Hours
            </th>
            <th scope="col" class="n">
              A day
            </th>
            <th scope="col" class="n">
              Comes to
            </th>
            <th scope="col">Samples by day</th>
          </tr>
        </thead>
        <tbody>
          {families.map((one) => (
            <tr key={one.family} data-family={one.family}>
              <th scope="row">{familyWord(one.family)}</th>
              <td class="n">{size(one.raw)}</td>
              <td class="n">{size(one.minute)}</td>
              <td class="n">{size(one.hour)}</td>
              <td class="n">{size(one.perDay)}</td>
              <td class="n">{size(one.need)}</td>
              <td>
                <Bars use={one} days={days} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

const BAR = 6;
const HIGH = 20;

/** A bar a day; the exact numbers are in the table below. */
function Bars({ use, days }: { use: FamilyUse; days: readonly string[] }) {
  const most = Math.max(1, ...use.byDay);
  return (
    <svg class="bars" width={days.length * BAR} height={HIGH} aria-hidden="true">
      {use.byDay.map((bytes, at) => (
        <rect
          key={days[at]}
          x={at * BAR}
          y={HIGH - (HIGH * bytes) / most}
          width={BAR - 1}
          height={(HIGH * bytes) / most}
        >
          <title>{`${days[at]}: ${size(bytes)}`}</title>
        </rect>
      ))}
    </svg>
  );
}

function ByDay({ stored: { families, days } }: { stored: Stored }) {
  return (
    <details class="by-day">
      <summary>Samples by family and day</summary>
      <Scroller label="Samples by family and day, scrolls sideways" class="panel table-panel listing">
        <table>
          <thead>
            <tr>
              <th scope="col">Day (UTC)</th>
              {families.map(({ family }) => (
                <th key={family} scope="col" class="n">
                  {familyWord(family)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {days.map((day, at) => (
              <tr key={day}>
                <th scope="row">{day}</th>
                {families.map(({ family, byDay }) => (
                  <td key={family} class="n">
                    {size(byDay[at] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
    </details>
  );
}
