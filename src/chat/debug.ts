/** Takes notes for whoever follows a message by its ids; never its data. Undefined where nobody asked for them. */
export type Debug = (fields: Readonly<Record<string, unknown>>, message: string) => void;
