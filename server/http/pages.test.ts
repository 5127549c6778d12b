/** The pages in a real browser, under the very policy that they are served with; and the document behind them. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSION } from '../product.ts';
import { launchBrowser } from '../../test/browser.ts';
import { startTestHost } from '../../test/host.ts';
import { problem } from '../../test/scenario.ts';
import { PATHS } from './page-paths.ts';

const house = await startTestHost();
afterAll(() => house.close());

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

/** A page, and all that it complains of: what its policy blocks, what throws, what it cannot load. */
async function newPage() {
  const page = await browser.newPage({ ignoreHTTPSErrors: true });
  const complaints: string[] = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => complaints.push(`cannot load ${request.url()}`));
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  return { page, complaints, asked };
}

describe('/swagger', () => {
  test('shows every operation of the API, loads nothing from elsewhere, and breaks no policy', async () => {
    const { page, complaints, asked } = await newPage();
    await page.goto(`${house.url}/swagger`);
    await page.getByRole('heading', { name: /^Keyswitch/ }).waitFor();
    const shown = await page.locator('.opblock-summary').allTextContents();
    const { paths } = (await house.ask('GET', '/api/v1/openapi.json')).body as {
      paths: Record<string, object>;
    };
    const count = Object.values(paths).flatMap((operations) => Object.keys(operations)).length;
    expect(shown).toHaveLength(count);
    const origins = new Set(
      asked.filter((url) => !url.startsWith('data:')).map((url) => new URL(url).origin),
    );
    expect([...origins]).toEqual([house.url]);

    // One of them is tried out.
    const operation = page.locator('.opblock').filter({ hasText: '/api/v1/welcome' });
    await operation.getByRole('button').first().click();
    await operation.getByRole('button', { name: 'Try it out' }).click();
    await operation.getByRole('button', { name: 'Execute' }).click();
    await operation.locator('.live-responses-table').getByText('"station"').first().waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test.each([
    '/swagger/index.html',
    '/swagger/package.json',
    '/swagger/swagger-initializer.js',
    '/swagger/oauth2-redirect.html',
    '/swagger/',
  ])('has no other page than its own: %s', async (path) => {
    const answer = await house.ask('GET', path);
    if (path === '/swagger/') expect(answer.text).toContain('Keyswitch API');
    else
      expect({ status: answer.status, body: answer.body }).toEqual({
        status: 404,
        body: problem(404, 'not-found'),
      });
  });
});

test('the first page of all loads and runs under the policy, and nothing of it comes from elsewhere', async () => {
  const { page, complaints, asked } = await newPage();
  await page.goto(house.url);
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  // Nobody is signed in, which the page finds out by asking.
  expect(complaints.filter((text) => !text.includes('401'))).toEqual([]);
  expect([...new Set(asked.map((url) => new URL(url).origin))]).toEqual([house.url]);
  await page.close();
});

test("every page's own address shows the pages, and no other does", async () => {
  const { text } = await house.ask('GET', '/');
  for (const path of PATHS) {
    const { status, headers, text: shown } = await house.ask('GET', path);
    expect({ path, status, cached: headers['cache-control'] }).toEqual({
      path,
      status: 200,
      cached: 'no-cache',
    });
    expect(shown).toBe(text);
  }
  for (const path of ['/sessions/more', '/settings', '/index']) {
    expect((await house.ask('GET', path)).status).toBe(404);
  }
});

describe('/api/v1/openapi.json', () => {
  test('is served once there is a wish for it, and the same every time', async () => {
    const first = await house.ask('GET', '/api/v1/openapi.json');
    expect(first.body).toMatchObject({ openapi: '3.1.0', info: { title: 'Keyswitch', version: VERSION } });
    expect((await house.ask('GET', '/api/v1/openapi.json')).text).toBe(first.text);
  });

  test('is not there, nor is its page, where the setting says so', async () => {
    await using quiet = await startTestHost({ config: { 'http.swagger': 'false' } });
    const files = ['start.js', 'swagger-ui.css', 'swagger-ui-bundle.js'].map((name) => `/swagger/${name}`);
    for (const path of ['/api/v1/openapi.json', '/swagger', ...files]) {
      const { status, body } = await quiet.ask('GET', path);
      const detail = `Nothing is at ${path}.`;
      expect({ status, body }).toEqual({ status: 404, body: problem(404, 'not-found', { detail }) });
    }
    expect((await quiet.ask('GET', '/api/v1/welcome')).status).toBe(200);
  });
});
