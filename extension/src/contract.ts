// Made by `python -m nbship_lab.contract`: change the Python records, not this file.

/** How far a run has come on the path. */
export type Stage = 'design' | 'test' | 'production';

/** How a run stands. */
export type RunStatus = 'running' | 'succeeded' | 'failed' | 'interrupted' | 'killed';

/** The last value of one metric. */
export interface LastMetric {
  readonly name: string;
  /** null where it is no finite number */
  readonly value: number | null;
  readonly step: number | null;
  readonly unit: string;
}

/** One run in one line. */
export interface RunRow {
  readonly id: string;
  readonly stage: Stage;
  /** null where the journal does not tell */
  readonly status: RunStatus | null;
  readonly experiment: string;
  /** path of the notebook, relative to the project where it lies inside */
  readonly notebook: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  /** why it ended, where that was not success */
  readonly cause: string;
  readonly job_id: string | null;
  /** last value of each metric, in the order they were first logged */
  readonly metrics: readonly LastMetric[];
  /** releases of the run's job, as ``<name> <version>`` */
  readonly releases: readonly string[];
  /** what could not be read of the journal; "" where all could */
  readonly damage: string;
}

/** The newest runs of a project, newest first. */
export interface Overview {
  readonly schema: 'overview/1';
  /** name of the project's folder; "" where there is no project */
  readonly project: string;
  /** the project's folder as the caller names it; null where the caller cannot reach it */
  readonly folder: string | null;
  readonly rows: readonly RunRow[];
  /** number of runs in the store, also those that are not among the rows */
  readonly total: number;
  /** what else could not be read */
  readonly remarks: readonly string[];
}
