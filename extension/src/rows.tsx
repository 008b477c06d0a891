import { Time } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { RunRow } from './contract';
import { metricText, stageMeaning, stageName, statusName } from './wording';

/** Metrics shown of one run; the rest is counted. */
const METRICS_SHOWN = 4;

interface RowProps {
  readonly row: RunRow;
  readonly trans: TranslationBundle;
  /** opens the run's notebook; null where the file browser cannot reach it */
  readonly open: (() => void) | null;
}

/** One run. */
export function Row({ row, trans, open }: RowProps): React.JSX.Element {
  const status = statusName(row.status, trans);
  return (
    <li className="nbship-Run" data-run={row.id} data-stage={row.stage}>
      <div className="nbship-Run-head">
        <span className="nbship-Run-name">{row.experiment || row.notebook || trans.__('Run')}</span>
        <span
          className="nbship-Stage"
          data-stage={row.stage}
          title={stageMeaning(row.stage, trans)}
        >
          {stageName(row.stage, trans)}
        </span>
      </div>
      <div className="nbship-Run-facts">
        <span className="nbship-Status" data-status={row.status ?? 'unreadable'}>
          {status}
        </span>
        {row.started_at !== null && <Started at={row.started_at} />}
      </div>
      {row.notebook && <Notebook path={row.notebook} trans={trans} open={open} />}
      <Metrics row={row} trans={trans} />
      {row.releases.length > 0 && (
        <p className="nbship-Run-line">{trans.__('Released as %1', row.releases.join(', '))}</p>
      )}
      {row.cause && <p className="nbship-Run-line nbship-mod-cause">{row.cause}</p>}
      {row.damage && (
        <p className="nbship-Run-line nbship-mod-damage">
          {trans.__('The journal is damaged: %1', row.damage)}
        </p>
      )}
      <p className="nbship-Run-id">{row.job_id ?? row.id}</p>
    </li>
  );
}

function Started({ at }: { at: string }): React.JSX.Element {
  const date = new Date(at);
  return (
    <time dateTime={at} title={Time.format(date)}>
      {Time.formatHuman(date)}
    </time>
  );
}

function Notebook(props: {
  path: string;
  trans: TranslationBundle;
  open: (() => void) | null;
}): React.JSX.Element {
  const { path, trans, open } = props;
  if (open === null) {
    return <p className="nbship-Run-line">{path}</p>;
  }
  return (
    <button
      type="button"
      className="nbship-Run-notebook"
      title={trans.__('Open %1', path)}
      onClick={open}
    >
      {path}
    </button>
  );
}

function Metrics({ row, trans }: { row: RunRow; trans: TranslationBundle }): React.JSX.Element {
  const more = row.metrics.length - METRICS_SHOWN;
  return (
    <dl className="nbship-Metrics">
      {row.metrics.slice(0, METRICS_SHOWN).map(metric => (
        <div key={metric.name} className="nbship-Metric">
          <dt>{metric.name}</dt>
          <dd>{metricText(metric, trans)}</dd>
        </div>
      ))}
      {more > 0 && (
        <div className="nbship-Metric">
          <dt>{trans._n('and %1 more', 'and %1 more', more)}</dt>
        </div>
      )}
    </dl>
  );
}
