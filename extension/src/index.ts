import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { DocumentWidget } from '@jupyterlab/docregistry';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { LabIcon } from '@jupyterlab/ui-components';
import iconText from '../style/icons/nbship.svg';
import { PANEL_ID, RunsPanel } from './panel';

const PLUGIN_ID = 'nbship-lab:panel';
const SHOW = 'nbship:show-runs';
const REFRESH = 'nbship:refresh-runs';

const icon = new LabIcon({ name: 'nbship:icon', svgstr: iconText });

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'A side panel that lists the runs of a project and how far each has come.',
  autoStart: true,
  optional: [ITranslator, ISettingRegistry, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    translator: ITranslator | null,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const panel = new RunsPanel({
      serverSettings: app.serviceManager.serverSettings,
      translator: translator ?? nullTranslator,
      open: path => void app.commands.execute('docmanager:open', { path })
    });
    panel.title.icon = icon;
    app.shell.add(panel, 'left', { rank: 450, type: 'nbship' });
    restorer?.add(panel, PANEL_ID);
    followDocument(app, panel);
    addCommands(app, panel, translator ?? nullTranslator, palette);
    void followSettings(settings, panel);
  }
};

/** Shows the project around the document that was looked at last. */
function followDocument(app: JupyterFrontEnd, panel: RunsPanel): void {
  const follow = (): void => {
    const current = app.shell.currentWidget;
    if (current instanceof DocumentWidget) {
      panel.model.path = current.context.localPath;
    }
  };
  app.shell.currentChanged?.connect(follow);
  void app.restored.then(follow);
  panel.disposed.connect(() => app.shell.currentChanged?.disconnect(follow));
}

function addCommands(
  app: JupyterFrontEnd,
  panel: RunsPanel,
  translator: ITranslator,
  palette: ICommandPalette | null
): void {
  const trans = translator.load('nbship');
  const describedBy = { args: { type: 'object', properties: {} } } as const;
  app.commands.addCommand(SHOW, {
    label: trans.__('Show nbship Runs'),
    caption: trans.__('List the runs of this project and how far each has come'),
    icon,
    execute: () => app.shell.activateById(PANEL_ID),
    describedBy
  });
  app.commands.addCommand(REFRESH, {
    label: trans.__('Refresh nbship Runs'),
    execute: () => panel.model.refresh(),
    describedBy
  });
  for (const command of [SHOW, REFRESH]) {
    palette?.addItem({ command, category: 'nbship' });
  }
}

/** Without settings the panel keeps its default of five seconds. */
async function followSettings(registry: ISettingRegistry | null, panel: RunsPanel): Promise<void> {
  const settings = await registry?.load(PLUGIN_ID).catch((reason: unknown) => {
    console.error('nbship: the settings of the panel cannot be loaded.', reason);
    return null;
  });
  if (!settings) {
    return;
  }
  const take = (): void => {
    panel.model.pollSeconds = settings.get('pollSeconds').composite as number;
  };
  take();
  settings.changed.connect(take);
  panel.disposed.connect(() => settings.changed.disconnect(take));
}

export default [plugin];
