import type { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Overview } from './contract';
import { fetchOverview, RequestError } from './request';

/** After failures the time between two questions doubles, up to this. */
const LONGEST_PAUSE_MS = 5 * 60 * 1000;

/** The runs that the panel shows, asked for again and again while it is visible. */
export class RunsModel implements IDisposable {
  readonly #settings: ServerConnection.ISettings;
  readonly #poll: Poll;
  readonly #changed = new Signal<this, void>(this);
  #overview: Overview | null = null;
  #error: RequestError | null = null;
  #path = '';

  constructor(options: { settings: ServerConnection.ISettings; isVisible: () => boolean }) {
    this.#settings = options.settings;
    this.#poll = new Poll({
      name: 'nbship-lab:runs',
      auto: false,
      factory: () => this.#ask(),
      frequency: { interval: 5000, backoff: true, max: LONGEST_PAUSE_MS },
      standby: () => document.hidden || !options.isVisible()
    });
  }

  get changed(): ISignal<this, void> {
    return this.#changed;
  }

  /** What the server said last; null before its first answer. */
  get overview(): Overview | null {
    return this.#overview;
  }

  /** Why its last answer failed to come; null where it came. */
  get error(): RequestError | null {
    return this.#error;
  }

  get isDisposed(): boolean {
    return this.#poll.isDisposed;
  }

  /** Seconds between two questions while all is well. */
  set pollSeconds(seconds: number) {
    this.#poll.frequency = { interval: seconds * 1000, backoff: true, max: LONGEST_PAUSE_MS };
  }

  /** A path of the file browser: the project around it is shown. */
  set path(path: string) {
    if (path !== this.#path) {
      this.#path = path;
      this.refresh();
    }
  }

  /** Ask now, and from now on in the usual time. */
  refresh(): void {
    void this.#poll.refresh();
  }

  dispose(): void {
    this.#poll.dispose();
    Signal.clearData(this);
  }

  async #ask(): Promise<void> {
    const path = this.#path;
    try {
      const overview = await fetchOverview(this.#settings, path);
      if (path !== this.#path) {
        return; // an answer about the project that was shown before
      }
      this.#overview = overview;
      this.#error = null;
    } catch (reason) {
      this.#error =
        reason instanceof RequestError ? reason : new RequestError('refused', String(reason));
      throw reason; // the poll waits longer after a failure
    } finally {
      if (!this.isDisposed) {
        this.#changed.emit();
      }
    }
  }
}
