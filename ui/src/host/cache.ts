import { QueryClient, useMutation, useQueries, useQuery, useQueryClient } from '@tanstack/react-query';
import { type CommandName, call, onTouched } from './client';
import { type ApiError, type Commands, queryTags } from './commands.gen';

export type QueryName = keyof typeof queryTags;

export const queryClient = new QueryClient({
  defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY, retry: false, refetchOnWindowFocus: false } },
});

/** Reads through the cache; the tags of the command say when its answer is old. */
export function useCommand<K extends QueryName & CommandName>(
  name: K,
  request: Commands[K]['request'],
  options?: { enabled?: boolean; refetchInterval?: number; staleTime?: number; gcTime?: number },
) {
  return useQuery<Commands[K]['response'], ApiError>({
    queryKey: [name, request],
    queryFn: () => call(name, request),
    placeholderData: (before) => before,
    ...options,
  });
}

/** Several reads of one command at once, such as the pages of a long table. */
export function useCommands<K extends QueryName & CommandName>(name: K, requests: Commands[K]['request'][]) {
  return useQueries({
    queries: requests.map((request) => ({
      queryKey: [name, request],
      queryFn: (): Promise<Commands[K]['response']> => call(name, request),
    })),
  });
}

/** A change. Everything that was read may look different afterwards. */
export function useAct<K extends CommandName>(name: K) {
  const client = useQueryClient();
  return useMutation<Commands[K]['response'], ApiError, Commands[K]['request']>({
    mutationFn: (request) => call(name, request),
    onSettled: () => client.invalidateQueries(),
  });
}

function isOld(queryKey: readonly unknown[], touched: string[]): boolean {
  const tags: readonly string[] = queryTags[queryKey[0] as QueryName] ?? [];
  return tags.includes('*') || tags.some((tag) => touched.includes(tag));
}

export function followChanges(): () => void {
  return onTouched((tags) => {
    void queryClient.invalidateQueries({ predicate: (query) => isOld(query.queryKey, tags) });
  });
}
