import type { ServerConnection } from '@jupyterlab/services';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import {
  ReactWidget,
  refreshIcon,
  Toolbar,
  ToolbarButton,
  UseSignal
} from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import * as React from 'react';
import { RunsModel } from './model';
import { View } from './view';

export const PANEL_ID = 'nbship-panel';

/** The side panel: the runs of the project around the current document. */
export class RunsPanel extends Panel {
  readonly model: RunsModel;
  readonly #trans: TranslationBundle;
  readonly #title = new Widget({ node: document.createElement('h2') });

  constructor(options: {
    serverSettings: ServerConnection.ISettings;
    translator: ITranslator;
    open: (path: string) => void;
  }) {
    super();
    this.#trans = options.translator.load('nbship');
    this.model = new RunsModel({
      settings: options.serverSettings,
      isVisible: () => this.isVisible
    });
    this.id = PANEL_ID;
    this.addClass('nbship-Panel');
    this.title.caption = this.#trans.__('nbship: runs and their stage');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', this.#trans.__('nbship runs'));
    this.addWidget(this.#toolbar());
    this.addWidget(this.#body(options.open));
    this.model.changed.connect(this.#nameProject, this);
  }

  dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.model.refresh();
  }

  #toolbar(): Toolbar {
    const toolbar = new Toolbar();
    toolbar.addClass('nbship-Toolbar');
    toolbar.node.setAttribute('aria-label', this.#trans.__('nbship runs'));
    this.#title.addClass('nbship-Title');
    this.#title.node.textContent = this.#trans.__('Runs');
    toolbar.addItem('title', this.#title);
    toolbar.addItem(
      'refresh',
      new ToolbarButton({
        icon: refreshIcon,
        onClick: () => this.model.refresh(),
        tooltip: this.#trans.__('Refresh the runs')
      })
    );
    return toolbar;
  }

  #body(open: (path: string) => void): Widget {
    const body = ReactWidget.create(
      <UseSignal signal={this.model.changed} initialSender={this.model}>
        {() => (
          <View
            overview={this.model.overview}
            error={this.model.error}
            trans={this.#trans}
            open={open}
          />
        )}
      </UseSignal>
    );
    body.addClass('nbship-Scroll');
    return body;
  }

  #nameProject(): void {
    const project = this.model.overview?.project ?? '';
    const title = project ? this.#trans.__('Runs of %1', project) : this.#trans.__('Runs');
    this.#title.node.textContent = title;
    this.#title.node.title = title; // long names are cut
  }
}
