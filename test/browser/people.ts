/** A town whose people sit at windows. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { type Town, type TownPlan, townFor } from '../support/town.js';
import { openBrowser, Screen } from './screen.js';

export class People {
  private born = 0;

  constructor(
    readonly town: Town,
    private readonly browser: () => Browser,
  ) {}

  /** Names that no other test of the town uses. */
  names<N extends readonly string[]>(...names: N): { [K in keyof N]: string } {
    this.born++;
    return names.map((name) => `${name}${this.born}`) as { [K in keyof N]: string };
  }

  /** Somebody at a window, on a node or at an address. What the page complains about fails the test. */
  async at(place: number | string, name: string, options: BrowserContextOptions = {}): Promise<Screen> {
    const url = typeof place === 'string' ? place : this.town.node(place).url;
    const screen = await Screen.of(this.browser(), url, name, options);
    onTestFinished(async () => {
      expect(screen.complaints).toEqual([]);
      await screen.closes();
    });
    return screen;
  }

  /** A page of its own, with nobody logged in. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.browser().newContext(options);
    onTestFinished(() => context.close());
    return context.newPage();
  }

  async posts(sender: string, message: object): Promise<void> {
    const { status } = await this.town.asks(1, `/v1/messages?uid=${sender}`, { body: message });
    expect(status).toBe(200);
  }
}

export function peopleOf(plan: TownPlan): People {
  const town = townFor(plan);
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());
  return new People(town, () => browser);
}
