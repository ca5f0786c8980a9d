import { invoke, isTauri } from '@tauri-apps/api/core';
import { listen } from '@tauri-apps/api/event';
import type { ApiError, Commands } from './commands.gen';

export type CommandName = keyof Commands;

/** Calls a command: through the shell's one door in the window, over loopback in a browser. */
export async function call<K extends CommandName>(name: K, request: Commands[K]['request']): Promise<Commands[K]['response']> {
  if (isTauri()) return invoke('rpc', { command: name, request });
  const response = await fetch(`/rpc/${name}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
  });
  const body = await response
    .json()
    .catch(() => ({ code: 'unreachable', message: 'Cairn does not answer.', hint: 'Is `cairn serve` still running?' }));
  if (!response.ok) throw body as ApiError;
  return body;
}

/** Asks the person for a file of this computer; a browser cannot tell a path, so it is typed there. */
export async function pickFile(): Promise<string | null> {
  return isTauri() ? invoke('rpc', { command: 'window.pick_file', request: {} }) : null;
}

export const inWindow = isTauri();

/** Tells which cache tags were touched, by whichever process of this computer. */
export function onTouched(heard: (tags: string[]) => void): () => void {
  let ended = false;
  if (isTauri()) {
    const stop = listen<string[]>('touched', (event) => heard(event.payload));
    return () => void stop.then((unlisten) => unlisten());
  }
  const poll = async () => {
    let seq: number | null = null;
    while (!ended) {
      try {
        const response: Response = await fetch(seq === null ? '/events' : `/events?since=${seq}`);
        const news: { seq: number; tags: string[] } = await response.json();
        if (seq !== null && news.tags.length > 0) heard(news.tags);
        seq = news.seq;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 2000));
      }
    }
  };
  void poll();
  return () => {
    ended = true;
  };
}

/** What a message of the system is about; without an id several things. */
export interface Notice {
  kind: string | null;
  id: string | null;
  project: string | null;
}

/** Tells what a person clicked on in a message of the system; without an id, several things at once. */
export function onOpened(heard: (notice: Notice) => void): () => void {
  if (!isTauri()) return () => {};
  const stop = listen<Notice>('open', (event) => heard(event.payload));
  return () => void stop.then((unlisten) => unlisten());
}

export function isApiError(error: unknown): error is ApiError {
  return typeof error === 'object' && error !== null && 'code' in error && 'message' in error;
}
