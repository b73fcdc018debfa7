/** Looks until the condition gives something, and returns it; an error while looking counts as not yet. */
export async function until(look, what, deadlineMs) {
  const began = performance.now();
  let lastError = '';
  for (;;) {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      lastError = `; last error: ${error.message}`;
    }
    if (performance.now() - began > deadlineMs) {
      throw new Error(
        `waited ${deadlineMs / 1_000} s in vain for ${typeof what === 'string' ? what : what()}${lastError}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
