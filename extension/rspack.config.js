// Lab's builder reads this file: TypeScript goes through Rspack's own compiler, and names
// instead of hashes keep the bundle byte for byte the same in every folder.
module.exports = {
  optimization: { moduleIds: 'named', chunkIds: 'named' },
  resolve: { extensions: ['.tsx', '.ts', '.js', '.json', '.wasm'] },
  module: {
    rules: [
      { test: /\.svg$/, issuer: /\.tsx?$/, type: 'asset/source' },
      {
        test: /\.tsx?$/,
        exclude: /node_modules/,
        loader: 'builtin:swc-loader',
        options: {
          jsc: {
            parser: { syntax: 'typescript', tsx: true },
            transform: { react: { runtime: 'classic' } },
            target: 'es2022'
          }
        },
        type: 'javascript/auto'
      }
    ]
  }
};
