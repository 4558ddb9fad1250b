// Prefixes of the prompt bucket.

/** The folder in the prompt bucket for the input files and the results of batches. */
export const BATCH_PREFIX = 'batch';
