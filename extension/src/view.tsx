import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';
import type { Overview, RunRow, Stage } from './contract';
import type { RequestError } from './request';
import { Row } from './rows';
import { errorText, STAGES, stageMeaning, stageName } from './wording';

interface ViewProps {
  readonly overview: Overview | null;
  readonly error: RequestError | null;
  readonly trans: TranslationBundle;
  /** opens a notebook by its path in the file browser */
  readonly open: (path: string) => void;
}

/** Everything below the panel's toolbar. */
export function View({ overview, error, trans, open }: ViewProps): React.JSX.Element {
  const [stage, setStage] = React.useState<Stage | null>(null);
  return (
    <div className="nbship-Body">
      {error !== null && (
        <p className="nbship-Message nbship-mod-error" role="alert">
          {errorText(error, trans)}
        </p>
      )}
      {overview === null && error === null && (
        <p className="nbship-Message" aria-busy="true">
          {trans.__('Loading the runs…')}
        </p>
      )}
      {overview !== null && overview.total === 0 && <Empty trans={trans} />}
      {overview !== null && overview.total > 0 && (
        <>
          <Stages rows={overview.rows} chosen={stage} choose={setStage} trans={trans} />
          <Runs overview={overview} stage={stage} trans={trans} open={open} />
        </>
      )}
      {overview?.remarks.map(remark => (
        <p key={remark} className="nbship-Message nbship-mod-damage">
          {remark}
        </p>
      ))}
    </div>
  );
}

function Empty({ trans }: { trans: TranslationBundle }): React.JSX.Element {
  return (
    <div className="nbship-Empty">
      <h3>{trans.__('No runs recorded yet')}</h3>
      <p>{trans.__('Record a run from a notebook beside your project:')}</p>
      <pre>
        {
          '%load_ext nbship\n%mlops start my-experiment\n# …your cells…\n%mlops log accuracy=0.97\n%mlops stop'
        }
      </pre>
      <p>{trans.__('or run the whole notebook as a job, in a terminal:')}</p>
      <pre>mlops submit notebook.ipynb</pre>
    </div>
  );
}

function Stages(props: {
  rows: readonly RunRow[];
  chosen: Stage | null;
  choose: (stage: Stage | null) => void;
  trans: TranslationBundle;
}): React.JSX.Element {
  const { rows, chosen, choose, trans } = props;
  return (
    <fieldset className="nbship-Stages" aria-label={trans.__('Show the runs of one stage')}>
      {STAGES.map(stage => (
        <button
          key={stage}
          type="button"
          data-stage={stage}
          aria-pressed={stage === chosen}
          title={stageMeaning(stage, trans)}
          onClick={() => choose(stage === chosen ? null : stage)}
        >
          <span className="nbship-Stages-count">
            {rows.filter(row => row.stage === stage).length}
          </span>
          {stageName(stage, trans)}
        </button>
      ))}
    </fieldset>
  );
}

function Runs(props: {
  overview: Overview;
  stage: Stage | null;
  trans: TranslationBundle;
  open: (path: string) => void;
}): React.JSX.Element {
  const { overview, stage, trans, open } = props;
  const rows = overview.rows.filter(row => stage === null || row.stage === stage);
  const hidden = overview.total - overview.rows.length;
  return (
    <>
      <ul className="nbship-Runs" aria-label={trans.__('Runs')}>
        {rows.map(row => (
          <Row key={row.id} row={row} trans={trans} open={opener(overview, row, open)} />
        ))}
      </ul>
      {rows.length === 0 && <p className="nbship-Message">{trans.__('No run at this stage.')}</p>}
      {hidden > 0 && (
        <p className="nbship-Message">
          {trans._n('%1 older run is left out.', '%1 older runs are left out.', hidden)}
        </p>
      )}
    </>
  );
}

function opener(
  overview: Overview,
  row: RunRow,
  open: (path: string) => void
): (() => void) | null {
  const { folder } = overview;
  const isReachable = folder !== null && row.notebook.endsWith('.ipynb');
  if (!isReachable || row.notebook.startsWith('/') || row.notebook.startsWith('..')) {
    return null;
  }
  return () => open(folder ? `${folder}/${row.notebook}` : row.notebook);
}
