import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { Overview } from './contract';

const NAMESPACE = 'nbship';

/** Why the server did not answer as asked. */
export type Obstacle = 'missing' | 'offline' | 'forbidden' | 'refused';

/** The server did not answer as asked. */
export class RequestError extends Error {
  readonly obstacle: Obstacle;
  /** one thing to do; "" where the server names none */
  readonly hint: string;

  constructor(obstacle: Obstacle, message: string, hint = '') {
    super(message);
    this.obstacle = obstacle;
    this.hint = hint;
  }
}

/** Ask for the newest runs of the project that holds a path of the file browser. */
export async function fetchOverview(
  settings: ServerConnection.ISettings,
  path: string
): Promise<Overview> {
  const query = URLExt.objectToQueryString({ path });
  return (await get(settings, `runs${query}`)) as Overview;
}

async function get(settings: ServerConnection.ISettings, endpoint: string): Promise<unknown> {
  const url = URLExt.join(settings.baseUrl, NAMESPACE, endpoint);
  let response: Response;
  try {
    response = await ServerConnection.makeRequest(url, {}, settings);
  } catch (reason) {
    throw new RequestError('offline', reason instanceof Error ? reason.message : String(reason));
  }
  const body = parsed(await response.text());
  if (response.ok && body !== null) {
    return body;
  }
  throw new RequestError(obstacleOf(response), text(body, 'message'), text(body, 'hint'));
}

function obstacleOf(response: Response): Obstacle {
  // another server's page at this address is no answer of ours either
  if (response.ok || response.status === 404) {
    return 'missing';
  }
  return response.status === 401 || response.status === 403 ? 'forbidden' : 'refused';
}

function parsed(body: string): object | null {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

function text(body: object | null, key: string): string {
  const value: unknown = body && Reflect.get(body, key);
  return typeof value === 'string' ? value : '';
}
