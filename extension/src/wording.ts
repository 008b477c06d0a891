import type { TranslationBundle } from '@jupyterlab/translation';
import type { LastMetric, RunStatus, Stage } from './contract';
import type { RequestError } from './request';

/** The stages in the order of the path. */
export const STAGES: readonly Stage[] = ['design', 'test', 'production'];

export function stageName(stage: Stage, trans: TranslationBundle): string {
  switch (stage) {
    case 'design':
      return trans.__('Design');
    case 'test':
      return trans.__('Test');
    case 'production':
      return trans.__('Production');
  }
}

export function stageMeaning(stage: Stage, trans: TranslationBundle): string {
  switch (stage) {
    case 'design':
      return trans.__('Recorded in a live notebook or under papermill');
    case 'test':
      return trans.__('The run of a job');
    case 'production':
      return trans.__('The run of a job that was released');
  }
}

export function statusName(status: RunStatus | null, trans: TranslationBundle): string {
  switch (status) {
    case 'running':
      return trans.__('running');
    case 'succeeded':
      return trans.__('succeeded');
    case 'failed':
      return trans.__('failed');
    case 'interrupted':
      return trans.__('interrupted');
    case 'killed':
      return trans.__('killed');
    case null:
      return trans.__('unreadable');
  }
}

/** `0.9731`, `12 ms`; four digits tell runs apart without breaking the line. */
export function metricText(metric: LastMetric, trans: TranslationBundle): string {
  const value =
    metric.value === null
      ? trans.__('not finite')
      : Number(metric.value.toPrecision(4)).toLocaleString(undefined, {
          maximumSignificantDigits: 4
        });
  return metric.unit ? `${value} ${metric.unit}` : value;
}

/** What stands in the way, and one thing to do. */
export function errorText(error: RequestError, trans: TranslationBundle): string {
  switch (error.obstacle) {
    case 'missing':
      return trans.__(
        'The server extension of nbship does not answer. Run “jupyter server extension enable nbship_lab” and restart JupyterLab.'
      );
    case 'offline':
      return trans.__('The Jupyter server does not answer; the panel keeps asking.');
    case 'forbidden':
      return trans.__('This server does not let you see the runs. Sign in again.');
    case 'refused':
      return [error.message || trans.__('The server could not list the runs.'), error.hint]
        .filter(Boolean)
        .join(' ');
  }
}
