/** The files a browser loads: our pages, the client for pages of others, and the interactive description of the API. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import express, { Router, type Handler } from 'express';
import { CLIENT_FOLDER, RENDERER_FOLDER } from '../product.ts';
import { PATHS } from './page-paths.ts';
import { methodNotAllowed, type Route } from './route.ts';

const ONE_YEAR_SEC = 31_536_000;

export interface PagesOptions {
  readonly swagger: boolean;
  readonly version: string;
}

export function pages(routes: readonly Route[], { swagger, version }: PagesOptions): Router {
  const router = Router();
  router.use(express.static(RENDERER_FOLDER, { setHeaders: setCaching, redirect: false }));
  router.get([...PATHS], sendDocument);
  router.get('/clients/keyswitch.js', sendClient);
  if (!swagger) return router;
  router.get('/api/v1/openapi.json', openApi(routes, version));
  router.all('/api/v1/openapi.json', methodNotAllowed(['GET']));
  router.get('/swagger', sendText('html', SWAGGER_PAGE));
  router.get('/swagger/start.js', sendText('text/javascript', SWAGGER_START));
  // Two files of the package by name: the rest of it is no page of ours.
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js'])
    router.get(`/swagger/${file}`, sendSwaggerFile(file));
  return router;
}

/** Hashed file names never change their content; the page that names them always may. */
function setCaching(response: { setHeader(name: string, value: string): unknown }, path: string): void {
  const isHashed = path.startsWith(join(RENDERER_FOLDER, 'assets'));
  response.setHeader('Cache-Control', isHashed ? `public, max-age=${ONE_YEAR_SEC}, immutable` : 'no-cache');
}

const sendDocument: Handler = (_request, response) =>
  response.sendFile('index.html', { root: RENDERER_FOLDER, headers: { 'Cache-Control': 'no-cache' } });

/** An HMI's page that is served elsewhere loads it from here, and so has the version that its host speaks. */
const sendClient: Handler = (_request, response) =>
  response.sendFile('keyswitch.js', { root: CLIENT_FOLDER, headers: { 'Cache-Control': 'no-cache' } });

/** The generator is loaded when it is first asked for: at a start it would cost time and memory for nothing. */
function openApi(routes: readonly Route[], version: string): Handler {
  let document: Promise<object> | null = null;
  return async (_request, response) => {
    document ??= import('./openapi.ts').then(({ openApiDocument }) => openApiDocument(routes, version));
    response.setHeader('Cache-Control', 'no-store');
    response.json(await document);
  };
}

function sendSwaggerFile(file: string): Handler {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  return (_request, response) => response.sendFile(file, { root, headers: { 'Cache-Control': 'no-cache' } });
}

function sendText(type: string, text: string): Handler {
  return (_request, response) => void response.type(type).set('Cache-Control', 'no-cache').send(text);
}

const SWAGGER_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Keyswitch API</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/swagger/swagger-ui.css" />
    <script src="/swagger/swagger-ui-bundle.js" defer></script>
    <script src="/swagger/start.js" defer></script>
  </head>
  <body><div id="swagger"></div></body>
</html>
`;

const SWAGGER_START = `SwaggerUIBundle({ url: '/api/v1/openapi.json', dom_id: '#swagger', validatorUrl: null });\n`;
