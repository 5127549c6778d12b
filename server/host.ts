/** One running Keyswitch: the features, and the doors that lead to them; the one place that wires the house. */
import { X509Certificate } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { HOST_ACTOR, type Actor } from './audit/audit.ts';
import { removeControl, writeControl } from './control.ts';
import { AUTH_HUB_PATHS, createAuthHub } from './dialects/iauth/auth-hub.ts';
import { iauthPush } from './dialects/iauth/push.ts';
import { iauthTokenRoutes } from './dialects/iauth/token.ts';
import { createJube } from './dialects/jube/jube.ts';
import { openFeatures, type Features, type Ports, type Settings } from './features.ts';
import { firstRun, type FirstRun } from './first-run.ts';
import { createHttpApp } from './http/app.ts';
import { createIdentify } from './http/caller.ts';
import type { Route } from './http/route.ts';
import { accountRoutes } from './http/routes/account.ts';
import { auditArchiveRoutes } from './http/routes/audit-archive.ts';
import { appRoutes } from './http/routes/apps.ts';
import { auditRoutes } from './http/routes/audit.ts';
import { backupRoutes } from './http/routes/backups.ts';
import { badgeRoutes } from './http/routes/badges.ts';
import { emergencyRoutes } from './http/routes/emergency.ts';
import { firstRunRoutes } from './http/routes/first-run.ts';
import { linkRoutes } from './http/routes/links.ts';
import { publicRoutes } from './http/routes/public.ts';
import { sessionRoutes } from './http/routes/session.ts';
import { signInRoutes } from './http/routes/sign-in.ts';
import { userRoutes } from './http/routes/users.ts';
import { createHttpsServer } from './http/server.ts';
import { createTls, type Tls } from './http/tls.ts';
import type { Clock } from './ports/clock.ts';
import { randomText } from './ports/random.ts';
import { VERSION } from './product.ts';
import { createEmergencies } from './realtime/emergencies.ts';
import { createOverview } from './realtime/overview.ts';
import { createPlaces } from './realtime/places.ts';
import { createPlcTopic } from './realtime/plc-topic.ts';
import { createHubEndpoint } from './realtime/signalr/endpoint.ts';
import { openSockets } from './realtime/sockets.ts';
import { createAppTopic } from './realtime/ws/app-topic.ts';
import { nativeProtocol } from './realtime/ws/native.ts';
import { createOwnSession } from './realtime/ws/own-session.ts';
import { speak } from './realtime/ws/protocols.ts';
import { createToldStates } from './sessions/told-states.ts';

export interface Host {
  /** Where a browser on this machine finds it: `https://127.0.0.1:8443`. */
  readonly url: string;
  readonly features: Features;
  /** For a window that is pinned to it. */
  readonly tls: Pick<Tls, 'fingerprint256' | 'caCertificate'>;
  /** What a first start has made; its secrets are told once, here. */
  readonly firstRun: FirstRun;
  /** Keeps the sessions, releases the PLCs, checkpoints the store. Closing twice is closing once. */
  close(): Promise<void>;
}

/** How long a request under way may go on while the host stops. */
const CLOSE_GRACE_MS = 2000;

/** How long a client may be connected to `/ws` without saying what it wants. */
const FIRST_MESSAGE_SEC = 10;

/** Starts everything; on a fault what was started is closed again, and the error says what to do. */
export async function startHost(settings: Settings, ports: Ports): Promise<Host> {
  const features = await openFeatures(settings, ports);
  try {
    return await openDoors(features, settings, ports);
  } catch (error) {
    await features.close();
    throw error;
  }
}

async function openDoors(features: Features, settings: Settings, ports: Ports): Promise<Host> {
  const { config, dataFolder } = settings;
  const { clock, random, log } = ports;
  const { apps, appStates, bus, sessions, links } = features;

  const tls = await createTls({
    folder: join(dataFolder, 'tls'),
    names: [config.http.host, ...config.http.names].filter((name) => name !== '0.0.0.0' && name !== '::'),
    ownCertificate: ownCertificate(config.http),
    interfaces: networkInterfaces,
    clock,
    random,
    log,
  });
  const controlKey = randomText(random, 32);
  const { maxBodyBytes } = config.http;
  const jube = config.dialects.jube
    ? createJube({ sessions, secrets: settings.secrets, clock }, { ...config.sessions, maxBodyBytes })
    : null;
  const identify = createIdentify({ sessions, controlKey, ...(jube !== null && { guestOf: jube.guestOf }) });
  const toldStates = createToldStates(features);
  const places = createPlaces({ clock, log }, config.realtime);
  const { iauth, iauthWebSockets, iauthSignalR, iauthSignalRWebSockets } = config.dialects;
  const authHub =
    iauth && iauthSignalR
      ? createHubEndpoint(
          { hub: createAuthHub({ apps, sessions, toldStates, log }), clock, random, log, places },
          {
            ...config.realtime,
            trustedOrigins: config.http.trustedOrigins,
            paths: AUTH_HUB_PATHS,
            webSockets: iauthSignalRWebSockets,
          },
        )
      : null;
  const app = createHttpApp(
    {
      routes: routesOf(features, settings, clock),
      guests: jube === null ? [] : [jube.meet],
      dialects: [
        ...(iauth ? [iauthTokenRoutes({ sessions, apps }, maxBodyBytes)] : []),
        ...(authHub === null ? [] : [authHub.routes]),
        ...(jube?.routes(identify) ?? []),
      ],
      withCredentials: authHub === null ? [] : AUTH_HUB_PATHS,
      identify,
      log,
    },
    { ...config.http, version: VERSION },
  );
  const https = createHttpsServer(tls, app);
  const sockets = openSockets(
    https.server,
    { clock, log, places },
    { ...config.realtime, trustedOrigins: config.http.trustedOrigins },
  );
  const native = nativeProtocol(
    {
      ...{ apps, sessions, clock },
      appTopic: createAppTopic({ toldStates, run: appStates.run, clock }),
      ownSession: createOwnSession({ bus, sessions, clock }),
      overview: createOverview({ bus, apps, sessions, clock, linkStatus: links.status }),
      emergencies: createEmergencies({ bus, sessions, clock }),
      plc: createPlcTopic({ bus, clock, linkStatus: links.status }),
    },
    config.realtime,
  );
  const protocols = [...(iauth && iauthWebSockets ? [iauthPush({ apps, toldStates })] : []), native];
  sockets.mount(['/ws'], speak(protocols, { clock, log }, config.realtime), {
    maxMessageBytes: config.realtime.maxMessageBytes,
    firstMessageSec: FIRST_MESSAGE_SEC,
  });
  if (authHub !== null && iauthSignalRWebSockets) {
    sockets.mount(AUTH_HUB_PATHS, authHub.serve, config.realtime);
  }

  async function closeDoors(): Promise<void> {
    removeControl(dataFolder);
    // Before the sockets are closed: their clients are told that they may come back.
    authHub?.close();
    sockets.close();
    await https.close(CLOSE_GRACE_MS);
    tls.close();
  }

  try {
    const url = await https.listen(config.http.host, config.http.port);
    await links.start();
    features.backups.start();
    const tellCommandLine = (): void =>
      writeControl(dataFolder, { url, pid: process.pid, key: controlKey, trust: trustAnchor(tls) });
    tls.onChange(tellCommandLine);
    tellCommandLine();
    await record(features, 'host-started', { version: VERSION, url });
    // Last, when nothing can go wrong any more: its secrets are told once, and those of a failed start to nobody.
    const made = await firstRun(features, { sample: false, ...config.sessions });
    log.info({ url, version: VERSION, data: dataFolder }, 'ready');
    let closing: Promise<void> | null = null;
    return {
      url,
      features,
      tls,
      firstRun: made,
      close: () => (closing ??= closeHost()),
    };

    async function closeHost(): Promise<void> {
      await closeDoors();
      await record(features, 'host-stopped', {}).catch((err: unknown) =>
        log.error({ err }, 'the stop could not be recorded'),
      );
      await features.close();
      log.info({}, 'stopped');
    }
  } catch (error) {
    await closeDoors();
    throw error;
  }
}

function routesOf(features: Features, { config }: Settings, clock: Clock): Route[] {
  const { auditQuery, forwarder, capacity, backups } = features;
  const { accounts, apps, audit, users, sessions, links, keys, store } = features;
  const { passwords, badges, pins, emergency } = features;
  const { name: plant, station, banner } = config.plant;
  return [
    // First what is asked for most: Express tries the paths in this order.
    ...sessionRoutes({ sessions }),
    ...signInRoutes({ sessions }),
    ...badgeRoutes({ badges, sessions }),
    ...emergencyRoutes({ emergency, sessions }),
    ...accountRoutes({ sessions, passwords, pins, read: store.read }),
    ...appRoutes({ apps, users, sessions, defaultLogoutTimeInMin: config.sessions.appLogoutTimeInMin }),
    ...publicRoutes({
      apps,
      keys,
      passwords,
      badges: config.badges,
      place: { plant, station: station || hostname(), banner, version: VERSION },
      linkStatus: links.status,
      storage: () => capacity.status.state,
      probeStore: () => store.read.selectFrom('apps').select('id').limit(1).execute(),
    }),
    ...userRoutes({ users, accounts, sessions }),
    ...firstRunRoutes((options) => firstRun(features, { ...options, ...config.sessions })),
    ...linkRoutes({ links }),
    ...auditArchiveRoutes({ audit }),
    ...auditRoutes({ audit, auditQuery, forwarder, capacity, backups, sessions, store, clock }),
    ...backupRoutes({ backups }),
  ];
}

/** The local CA, or the site's own certificate itself. */
function trustAnchor(tls: Tls): string {
  return tls.caCertificate ?? new X509Certificate(tls.credentials().cert).toString();
}

function ownCertificate(http: Settings['config']['http']): { certificate: string; key: string } | null {
  const { certificate, certificateKey: key } = http;
  return certificate === undefined || key === undefined ? null : { certificate, key };
}

function record(
  { store, audit }: Features,
  action: 'host-started' | 'host-stopped',
  detail: Record<string, unknown>,
): Promise<void> {
  const actor: Actor = HOST_ACTOR;
  return store.write((writer) => audit.append(writer, { action, actor, detail }));
}
