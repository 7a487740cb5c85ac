declare module 'csv-spectrum' {
  function spectrum(
    callback: (error: Error | null, data: { name: string; csv: Buffer; json: Buffer }[]) => void,
  ): void;
  export = spectrum;
}
