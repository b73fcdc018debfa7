/** A browser with people in front of it. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { until } from '../support/until.js';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function openBrowser(): Promise<Browser> {
  const executablePath = PROGRAMS.find((path) => existsSync(path));
  if (!executablePath) throw new Error('Chromium is missing: install it');
  return chromium.launch({ executablePath, args: FLAGS });
}

/** One person at one window. */
export class Screen {
  /** What the page complained about: uncaught errors, and what its policy refused. */
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    readonly name: string,
  ) {
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (line) => {
      const isRefusal = /content security policy/i.test(line.text());
      if (isRefusal) this.complaints.push(line.text());
    });
  }

  /** Opens the page of a node and logs in. */
  static async of(browser: Browser, url: string, name: string, options: BrowserContextOptions = {}): Promise<Screen> {
    const context = await browser.newContext({ locale: 'en-US', ...options });
    // What does not come is told where it was waited for, not by the end of the test's time.
    context.setDefaultTimeout(10_000);
    const screen = new Screen(await context.newPage(), name);
    await screen.page.goto(url);
    await screen.page.fill('#who', name);
    await screen.page.press('#who', 'Enter');
    await screen.isConnected();
    return screen;
  }

  async isConnected(): Promise<void> {
    await this.page.waitForSelector('.state[data-state="1"]');
  }

  async opens(conv: string): Promise<void> {
    await this.page.goto(`${this.page.url().split('#')[0]}#${encodeURIComponent(conv)}`);
    await this.page.waitForSelector('.composer textarea');
  }

  /** Opens the chat with somebody as people do: by typing the name. */
  async writesTo(other: string): Promise<void> {
    await this.page.fill('[type=search]', other);
    await this.page.locator('.entry', { hasText: other }).first().click();
    await this.page.waitForSelector('.composer textarea');
  }

  async says(text: string): Promise<void> {
    await this.page.fill('.composer textarea', text);
    await this.page.press('.composer textarea', 'Enter');
  }

  /** The texts of the open conversation, in the order in which they stand. */
  texts(): Promise<string[]> {
    return this.page.locator('.bubble .text').allTextContents();
  }

  async sees(...texts: readonly string[]): Promise<void> {
    let seen: string[] = [];
    await until(
      async () => {
        seen = await this.texts();
        return seen.join('\n') === texts.join('\n');
      },
      () => `${this.name} to see ${texts.join(' | ')}, but it was ${seen.join(' | ')}`,
      10_000,
    );
  }

  /** The marks of one's own messages. */
  async marks(...marks: readonly string[]): Promise<void> {
    let seen: (string | undefined)[] = [];
    await until(
      async () => {
        seen = await this.page
          .locator('[data-mark]')
          .evaluateAll((all) => all.map((one) => (one as { dataset?: { mark?: string } }).dataset?.mark));
        return seen.join() === marks.join();
      },
      () => `${this.name} to have the marks ${marks.join()}, but they were ${seen.join()}`,
      10_000,
    );
  }

  /** The number beside a conversation; empty if there is none. */
  async unread(title: string, count: string): Promise<void> {
    const entry = this.page.locator('.entry', { has: this.page.locator('.title', { hasText: title }) });
    await until(
      async () => (await entry.locator('mark [aria-hidden]').allTextContents()).join() === count,
      `${this.name} to have ${count || 'nothing'} unread from ${title}`,
      10_000,
    );
  }

  async acts(text: string, action: string): Promise<void> {
    const row = this.page.locator('.row', { has: this.page.locator('.text', { hasText: text }) }).last();
    await row.hover();
    await row.locator('.actions').click();
    await this.page.getByRole('menuitem', { name: action }).click();
    if (action === 'Reply' || action === 'Edit') await this.page.waitForSelector('.intent');
  }

  /** A button of the dialogue that lies on top, or else of the page. */
  async presses(name: string): Promise<void> {
    const dialog = this.page.locator('dialog[open]').last();
    const place = (await dialog.count()) > 0 ? dialog : this.page.locator('body');
    await place.getByRole('button', { name, exact: true }).click();
  }

  /** Answers the question whether something is to be done indeed. */
  async confirms(action: string, isSure = true): Promise<void> {
    const question = this.page.getByRole('dialog', { name: action, exact: true });
    await question.getByRole('button', { name: isSure ? action : 'Cancel', exact: true }).click();
    await question.waitFor({ state: 'detached' });
  }

  /** What a group's members may do with somebody in it. */
  async manages(uid: string, action: string): Promise<void> {
    await this.presses(`Manage ${uid}`);
    await this.presses(action);
  }

  /** Waits until something is to be seen that holds this text. */
  async finds(text: string | RegExp): Promise<void> {
    await this.page.getByText(text).first().waitFor();
  }

  /** Whether a conversation is on the list, as soon as it is so. */
  async lists(title: string, isListed = true): Promise<void> {
    const entry = this.page.locator('nav .entry .title').getByText(title, { exact: true });
    await entry.waitFor({ state: isListed ? 'visible' : 'detached' });
  }

  async closes(): Promise<void> {
    await this.page.context().close();
  }
}
